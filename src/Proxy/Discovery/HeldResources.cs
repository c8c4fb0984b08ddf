using System;
using System.Collections.Generic;
using Postern.Proxy.Admin;
using Postern.Xds.Discovery;

namespace Postern.Proxy.Discovery;

/// <summary>
/// The accepted resources of a wildcard subscription; owned by its sink. A full set is kept as it came, without a table: 10,000 of them cost
/// nothing to take.
/// </summary>
internal sealed class HeldResources(ResourceType type)
{
    private IReadOnlyList<DiscoveredResource> all = [];
    private DateTimeOffset since;
    private Provenance provenance;

    /// <summary>What would be held after that update.</summary>
    public IReadOnlyList<DiscoveredResource> After(ResourceUpdate update)
    {
        if (update.IsFullSet)
        {
            return update.Resources;
        }
        if (update.Resources.Count + update.Removed.Count == 0)
        {
            return all;
        }
        var replaced = new HashSet<string>(update.Removed, StringComparer.Ordinal);
        foreach (var resource in update.Resources)
        {
            replaced.Add(resource.Name);
        }
        var next = new List<DiscoveredResource>(all.Count + update.Resources.Count);
        foreach (var resource in all)
        {
            if (!replaced.Contains(resource.Name))
            {
                next.Add(resource);
            }
        }
        next.AddRange(update.Resources);
        return next;
    }

    public void Apply(ResourceUpdate update, Provenance from, DateTimeOffset now)
    {
        all = After(update);
        since = now;
        provenance = from;
    }

    /// <summary>All of them, in force since the last update of their type.</summary>
    public IEnumerable<ResourceStatus> Read()
    {
        foreach (var resource in all)
        {
            yield return new ResourceStatus(type, resource.Name, ResourceState.Active, resource.Version, since, [], "", resource.Source, provenance == Provenance.Disk);
        }
    }
}
