using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using Postern.Proxy.Admin;
using Postern.Proxy.Upstream;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>
/// Clusters: those of the bootstrap and those of CDS. A new or changed EDS cluster warms until its endpoints are known (or the wait for them is
/// over) while the old version serves; then one reference write swaps them. Additions come before removals.
/// </summary>
internal sealed class ClusterSink(BootstrapConfig bootstrap, ISubscriber subscriber, ChangeGate gate, ClusterParts parts)
    : ResourceSink(ResourceType.Cluster, gate)
{
    private readonly ConcurrentDictionary<string, ClusterSnapshot> inForce = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ClusterEntry> entries = new(StringComparer.Ordinal);
    private Dictionary<string, ClusterConfig>? known; // thrown away with every change

    /// <summary>The first answer (accepted, refused or timed out) has come.</summary>
    public event Action? Settled;

    /// <summary>No cluster warms.</summary>
    public bool IsWarm
    {
        get
        {
            foreach (var (_, entry) in entries)
            {
                if (entry.Warming is not null)
                {
                    return false;
                }
            }
            return true;
        }
    }

    /// <summary>The cluster in force, or null. From any thread.</summary>
    public ClusterSnapshot? Find(string name) => inForce.GetValueOrDefault(name);

    /// <summary>Brings the bootstrap's clusters in force; discovery cannot take over their names.</summary>
    public void AddStatic(IReadOnlyList<ClusterConfig> configs)
    {
        lock (Gate.Lock)
        {
            foreach (var config in configs)
            {
                Put(config.Name, config, null, Provenance.Source);
            }
        }
    }

    /// <summary>Configurations by name, the newest accepted of each: what listeners may refer to.</summary>
    public Dictionary<string, ClusterConfig> Known()
    {
        if (known is not null)
        {
            return known;
        }
        known = new Dictionary<string, ClusterConfig>(StringComparer.Ordinal);
        foreach (var (name, entry) in entries)
        {
            known[name] = entry.Newest.Config;
        }
        return known;
    }

    /// <summary>For the admin pages.</summary>
    public IReadOnlyList<ClusterStatus> ReadClusters()
    {
        lock (Gate.Lock)
        {
            var list = new List<ClusterStatus>();
            foreach (var (_, entry) in entries)
            {
                if (entry.Active is { } active)
                {
                    list.Add(new ClusterStatus(active.Config, active.ReadEndpoints(), entry.Newest.Resource is not null));
                }
            }
            return list;
        }
    }

    protected override IReadOnlyList<ResourceProblem> ApplyLocked(ResourceUpdate update, Provenance provenance)
    {
        var problems = Check(update);
        if (problems.Count == 0)
        {
            using (subscriber.Pause(ResourceType.Endpoint))
            {
                var named = new HashSet<string>(StringComparer.Ordinal);
                foreach (var resource in update.Resources)
                {
                    named.Add(resource.Name);
                    Put(resource.Name, (ClusterConfig)resource.Config, resource, provenance);
                }
                foreach (var name in Gone(update, named))
                {
                    Drop(name);
                }
            }
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
                var warming = entry.Warming is not null;
                yield return new ResourceStatus(
                    Type, name, warming ? ResourceState.Warming : ResourceState.Active, resource.Version, shown.Since,
                    warming ? shown.WaitingFor() : [], "", resource.Source, shown.Provenance == Provenance.Disk);
            }
        }
    }

    private List<ResourceProblem> Check(ResourceUpdate update)
    {
        var problems = new List<ResourceProblem>();
        foreach (var resource in update.Resources)
        {
            if (entries.TryGetValue(resource.Name, out var entry) && entry.Newest.Resource is null)
            {
                problems.Add(new ResourceProblem(resource.Name, "name", $"cluster \"{resource.Name}\" is defined in the bootstrap and cannot be taken over; give it another name"));
            }
            else if (SourceReferences.FindProblem((ClusterConfig)resource.Config, bootstrap) is { } problem)
            {
                problems.Add(new ResourceProblem(resource.Name, problem.Path, problem.Reason));
            }
        }
        return problems;
    }

    private List<string> Gone(ResourceUpdate update, HashSet<string> named)
    {
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

    private void Put(string name, ClusterConfig config, DiscoveredResource? resource, Provenance provenance)
    {
        known = null;
        if (!entries.TryGetValue(name, out var entry))
        {
            entries.Add(name, entry = new ClusterEntry());
        }
        if (entry.Has(config))
        {
            entry.Newest.Confirm(resource, provenance);
            return;
        }
        if (entry.Active is { } active && active.Config.Equals(config))
        {
            // Taken back before it was warm.
            entry.Warming!.Release(parts);
            entry.Warming = null;
            active.Confirm(resource, provenance);
            return;
        }
        var next = new ClusterVersion(config, resource, provenance, Gate.Now, parts);
        var dropped = entry.Warming;
        entry.Warming = next;
        next.Hold(parts, () => OnEndpoints(name, next), Gate.Time); // before the other lets go: a name that both refer to stays subscribed
        dropped?.Release(parts);
        Activate(name, entry);
    }

    private void OnEndpoints(string name, ClusterVersion version)
    {
        version.TakeEndpoints();
        if (entries.TryGetValue(name, out var entry))
        {
            Activate(name, entry);
        }
    }

    // Under the gate, and possibly from within Hold: then the second look finds nothing to do.
    private void Activate(string name, ClusterEntry entry)
    {
        if (entry.Warming is not { IsWarm: true } ready)
        {
            return;
        }
        var old = entry.Active;
        ready.Since = Gate.Now;
        entry.Active = ready;
        entry.Warming = null;
        inForce[name] = ready.Snapshot;
        old?.Release(parts);
    }

    private void Drop(string name)
    {
        known = null;
        entries.Remove(name, out var entry);
        inForce.TryRemove(name, out _);
        entry!.Warming?.Release(parts);
        entry.Active?.Release(parts);
    }
}
