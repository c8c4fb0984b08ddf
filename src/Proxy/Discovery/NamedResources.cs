using System;
using System.Collections.Generic;
using Postern.Proxy.Admin;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>
/// The resources of one type that others refer to: one subscription per name and source, from the first reference to the last. Changed under
/// the gate only.
/// </summary>
internal sealed class NamedResources<T>(ResourceType type, ISubscriber subscriber, ChangeGate gate, Func<object, T> compile)
    where T : class
{
    private readonly Dictionary<(string Name, ConfigSourceConfig Source), (NamedResource<T> Resource, ISubscription Subscription)> held = [];

    /// <summary>Names held now.</summary>
    public int Count => held.Count;

    /// <summary>Refers to a resource; a resource that nobody referred to before is subscribed.</summary>
    /// <param name="name">Resource name.</param>
    /// <param name="source">From where.</param>
    /// <param name="changed">Called under the gate when it arrives, changes, or need not be waited for any more.</param>
    public NamedResource<T> Hold(string name, ConfigSourceConfig source, Action changed)
    {
        if (held.TryGetValue((name, source), out var known))
        {
            known.Resource.Watch(changed);
            return known.Resource;
        }
        var resource = new NamedResource<T>(type, gate, name, source, compile);
        // Subscribed before it is watched: an answer that comes within the call finds its user looking at the result.
        var subscription = subscriber.Subscribe(source, [name], resource);
        held.Add((name, source), (resource, subscription));
        resource.Watch(changed);
        return resource;
    }

    /// <summary>Takes a reference back; the last one ends the subscription.</summary>
    public void Release(NamedResource<T> resource, Action changed)
    {
        resource.Unwatch(changed);
        if (resource.Users == 0 && held.Remove((resource.Name, resource.Source), out var gone))
        {
            gone.Subscription.Dispose();
        }
    }

    /// <summary>Status of every resource held.</summary>
    public void ReadStatus(List<ResourceStatus> into)
    {
        lock (gate.Lock)
        {
            foreach (var (_, entry) in held)
            {
                entry.Resource.ReadStatus(into);
            }
        }
    }
}
