using System;
using System.Collections.Generic;
using Postern.Policy;
using Postern.Proxy.Admin;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>
/// One resource that others refer to by name (endpoints, a route table, a secret), subscribed as long as anybody does. Owned by its
/// <see cref="NamedResources{T}"/>; changes come under the gate.
/// </summary>
internal sealed class NamedResource<T>(ResourceType type, ChangeGate gate, string name, ConfigSourceConfig source, Func<object, T> compile) : ResourceSink(type, gate)
    where T : class
{
    private readonly List<Action> watchers = [];
    private DiscoveredResource? resource;
    private DateTimeOffset since = gate.Now;
    private Provenance provenance;

    public string Name => name;

    public ConfigSourceConfig Source => source;

    /// <summary>The compiled resource, or null while none has arrived.</summary>
    public T? Value { get; private set; }

    /// <summary>It arrived, or the wait for it is over: nobody needs to wait any more.</summary>
    public bool IsSettled { get; private set; }

    /// <summary>What somebody waits for, as people say it.</summary>
    public string Title => $"{Type.ShortName} {name}";

    public int Users => watchers.Count;

    public void Watch(Action watcher) => watchers.Add(watcher);

    public void Unwatch(Action watcher) => watchers.Remove(watcher);

    protected override IReadOnlyList<ResourceProblem> ApplyLocked(ResourceUpdate update, Provenance from)
    {
        foreach (var offered in update.Resources)
        {
            // What was not asked for is passed over, as Envoy does. A removal is, too: the last good one stays while somebody refers to it.
            if (!string.Equals(offered.Name, name, StringComparison.Ordinal))
            {
                continue;
            }
            provenance = from;
            if (resource is { } old && (ReferenceEquals(old.Config, offered.Config) || old.Config.Equals(offered.Config)))
            {
                resource = offered;
                continue;
            }
            try
            {
                Value = compile(offered.Config);
            }
            catch (PolicyConfigException e)
            {
                return [new ResourceProblem(name, "", e.Message)];
            }
            resource = offered;
            since = Gate.Now;
            Settle();
        }
        if (!IsSettled && Array.Exists([.. update.Removed], gone => string.Equals(gone, name, StringComparison.Ordinal)))
        {
            Settle(); // "there is no such resource" is an answer, and the only one that comes
        }
        return [];
    }

    protected override void OnFetchTimeoutLocked()
    {
        if (!IsSettled)
        {
            Settle();
        }
    }

    protected override IEnumerable<ResourceStatus> ReadLocked()
    {
        if (resource is { } known)
        {
            yield return new ResourceStatus(Type, name, ResourceState.Active, known.Version, since, [], "", known.Source, provenance == Provenance.Disk);
        }
    }

    private void Settle()
    {
        IsSettled = true;
        foreach (var watcher in watchers.ToArray())
        {
            watcher();
        }
    }
}
