using System;
using System.Collections.Generic;
using Postern.Policy;
using Postern.Proxy.Admin;
using Postern.Proxy.Http;
using Postern.Proxy.Lifecycle;
using Postern.Proxy.Tls;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Discovery;
using Postern.Xds.Resources;

namespace Postern.Proxy.Discovery;

/// <summary>
/// Listeners: those of the bootstrap and those of LDS. A new or changed one warms until the route tables that its chains name are there (or the
/// wait for them is over) while the old version serves. An update is checked as a whole before anything changes; only what the kernel refuses
/// (a port in use) is found later: then the others are in force, the answer is a NACK, and the next change tries again.
/// </summary>
internal sealed class ListenerSink(
    BootstrapConfig bootstrap, ISubscriber subscriber, ChangeGate gate, NamedResources<RouteTable> routes, SecretCache secrets, ClusterSink clusters, PolicyInForce policy, IListenerHost host,
    SnapshotCompiler compiler, Action<string> warn)
    : ResourceSink(ResourceType.Listener, gate)
{
    private static readonly RouteSlot Probe = new("");
    private static readonly TlsContextSlot<TlsServerContext> NoContext = new(new CommonTlsConfig(), static _ => null, NoBuild);

    private readonly Dictionary<string, ListenerEntry> entries = new(StringComparer.Ordinal);

    /// <summary>The first answer (accepted, refused or timed out) has come.</summary>
    public event Action? Settled;

    /// <summary>No listener warms.</summary>
    public bool IsWarm
    {
        get
        {
            foreach (var (_, entry) in entries)
            {
                if (entry.Next is { IsWarm: false })
                {
                    return false;
                }
            }
            return true;
        }
    }

    /// <summary>Opens the bootstrap's listeners; discovery cannot take over their names.</summary>
    /// <returns>One line for each that could not be opened.</returns>
    public IReadOnlyList<string> AddStatic(IReadOnlyList<ListenerConfig> configs)
    {
        lock (Gate.Lock)
        {
            var known = clusters.Known();
            var lines = new List<string>();
            using (subscriber.Pause(ResourceType.Route))
            {
                foreach (var config in configs)
                {
                    if (Problem(config, known) is { } problem)
                    {
                        lines.Add($"listener {config.Name}: {problem.Path}: {problem.Reason}");
                        continue;
                    }
                    Put(config.Name, config, null, Provenance.Source);
                }
            }
            foreach (var problem in Converge())
            {
                lines.Add($"listener {problem.Resource}: {problem.Reason}");
            }
            return lines;
        }
    }

    protected override IReadOnlyList<ResourceProblem> ApplyLocked(ResourceUpdate update, Provenance provenance)
    {
        var gone = Gone(update);
        var problems = Check(update, gone);
        if (problems.Count == 0)
        {
            using (subscriber.Pause(ResourceType.Route))
            {
                foreach (var resource in update.Resources)
                {
                    Put(resource.Name, (ListenerConfig)resource.Config, resource, provenance);
                }
                foreach (var name in gone)
                {
                    entries.Remove(name, out var entry);
                    entry!.Next?.Release(routes);
                    entry.Open?.Release(routes);
                }
            }
            problems = Converge();
            problems.RemoveAll(problem => !IsNamed(update, problem.Resource)); // of an earlier update: it has its NACK
        }
        Settled?.Invoke();
        return problems;
    }

    protected override void OnFetchTimeoutLocked() => Settled?.Invoke();

    protected override IEnumerable<ResourceStatus> ReadLocked()
    {
        foreach (var (name, entry) in entries)
        {
            var shown = entry.Newest;
            if (shown.Resource is { } resource)
            {
                var state = entry.Next is null || (entry.Open is not null && shown.IsWarm) ? ResourceState.Active : shown.IsWarm ? ResourceState.Rejected : ResourceState.Warming;
                yield return new ResourceStatus(
                    Type, name, state, resource.Version, shown.Since, shown.WaitingFor(), shown.OpenError, resource.Source, shown.Provenance == Provenance.Disk);
            }
        }
    }

    private List<string> Gone(ResourceUpdate update)
    {
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var resource in update.Resources)
        {
            named.Add(resource.Name);
        }
        var gone = new List<string>();
        if (update.IsFullSet)
        {
            gone.AddRange(entries.Keys);
        }
        else
        {
            gone.AddRange(update.Removed);
        }
        gone.RemoveAll(name => named.Contains(name) || !entries.TryGetValue(name, out var entry) || entry.Newest.Resource is null);
        return gone;
    }

    private List<ResourceProblem> Check(ResourceUpdate update, List<string> gone)
    {
        var problems = new List<ResourceProblem>();
        var wanted = new List<ListenerConfig>();
        var offered = new HashSet<string>(gone, StringComparer.Ordinal);
        foreach (var resource in update.Resources)
        {
            offered.Add(resource.Name);
        }
        foreach (var (name, entry) in entries)
        {
            if (entry.Newest.Resource is null || !offered.Contains(name))
            {
                wanted.Add(entry.Newest.Config);
            }
        }
        var known = clusters.Known();
        foreach (var resource in update.Resources)
        {
            var config = (ListenerConfig)resource.Config;
            wanted.Add(config);
            if (entries.TryGetValue(resource.Name, out var entry))
            {
                if (entry.Newest.Resource is null)
                {
                    problems.Add(new ResourceProblem(resource.Name, "name", $"listener \"{resource.Name}\" is defined in the bootstrap and cannot be taken over; give it another name"));
                    continue;
                }
                if (IsSame(entry.Newest.Config, config))
                {
                    continue;
                }
            }
            if (Problem(config, known) is { } problem)
            {
                problems.Add(problem);
            }
        }
        if (problems.Count == 0 && ListenerSetRules.FindProblem(wanted) is { } clash)
        {
            problems.Add(new ResourceProblem(wanted[clash.Index].Name, clash.Path, clash.Reason));
        }
        return problems;
    }

    private ResourceProblem? Problem(ListenerConfig config, Dictionary<string, ClusterConfig> known)
    {
        if (ClusterReferences.FindProblem(config, known, unknownAllowed: bootstrap.CdsSource is not null) is { } reference)
        {
            return new ResourceProblem(config.Name, reference.Path, reference.Reason);
        }
        if (SourceReferences.FindProblem(config, bootstrap) is { } source)
        {
            return new ResourceProblem(config.Name, source.Path, source.Reason);
        }
        try
        {
            compiler.Compile(config, static _ => Probe, static _ => NoContext);
            return null;
        }
        catch (PolicyConfigException e)
        {
            return new ResourceProblem(config.Name, "", e.Message);
        }
    }

    private void Put(string name, ListenerConfig config, DiscoveredResource? resource, Provenance provenance)
    {
        if (!entries.TryGetValue(name, out var entry))
        {
            entries.Add(name, entry = new ListenerEntry());
        }
        if ((entry.Next ?? entry.Open) is { } newest && IsSame(newest.Config, config))
        {
            newest.Confirm(resource, provenance);
            return;
        }
        var dropped = entry.Next;
        if (entry.Open is { } open && IsSame(open.Config, config))
        {
            entry.Next = null; // taken back before it was warm
            open.Confirm(resource, provenance);
        }
        else
        {
            if (ListenerVersion.PolicySource(config) is { } source)
            {
                policy.Configure(source);
            }
            var next = new ListenerVersion(config, resource, provenance, Gate.Now);
            entry.Next = next;
            next.Hold(routes, () => OnTable(next));
            next.HoldTls(secrets, Gate.Time);
        }
        dropped?.Release(routes);
    }

    private void OnTable(ListenerVersion version)
    {
        version.TakeTables();
        foreach (var (_, entry) in entries)
        {
            if (ReferenceEquals(entry.Next, version) && version.IsWarm && version.OpenError.Length == 0)
            {
                foreach (var problem in Converge())
                {
                    warn($"listener {problem.Resource}: {problem.Reason}");
                }
                return;
            }
        }
    }

    // Opens what is warm, closes what is gone. What the kernel refused stays wanted, and its old version open.
    private List<ResourceProblem> Converge()
    {
        var wanted = new List<ListenerConfig>();
        foreach (var (_, entry) in entries)
        {
            if (entry.Wanted is { } config)
            {
                wanted.Add(config);
            }
        }
        var errors = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, error) in host.Apply(wanted, Compile))
        {
            errors[name] = error;
        }
        var problems = new List<ResourceProblem>();
        foreach (var (name, entry) in entries)
        {
            if (entry.Next is not { IsWarm: true } ready)
            {
                continue;
            }
            if (errors.TryGetValue(name, out var error))
            {
                ready.OpenError = error;
                problems.Add(new ResourceProblem(name, "address", error));
                continue;
            }
            entry.Open?.Release(routes);
            ready.OpenError = "";
            ready.Since = Gate.Now;
            entry.Open = ready;
            entry.Next = null;
        }
        return problems;
    }

    private Listeners.ListenerSnapshot Compile(ListenerConfig config)
    {
        var entry = entries[config.Name];
        // The old one when the new one's port cannot be had.
        var version = entry.Open is { } open && ReferenceEquals(open.Config, config) ? open : entry.Newest;
        return compiler.Compile(config, version.Slot, version.Tls);
    }

    private static TlsServerContext? NoBuild(TlsMaterial material, out TlsProblem? problem)
    {
        problem = null;
        return null;
    }

    private static bool IsNamed(ResourceUpdate update, string name)
    {
        foreach (var resource in update.Resources)
        {
            if (string.Equals(resource.Name, name, StringComparison.Ordinal))
            {
                return true;
            }
        }
        return false;
    }

    private static bool IsSame(ListenerConfig a, ListenerConfig b) => ReferenceEquals(a, b) || a.Equals(b);
}
