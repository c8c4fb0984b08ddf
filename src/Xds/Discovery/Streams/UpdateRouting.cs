using System.Collections.Generic;
using Postern.Policy;
using Postern.Xds.Discovery.Protocol;

namespace Postern.Xds.Discovery.Streams;

/// <summary>Which subscription gets which part of a response.</summary>
internal static class UpdateRouting
{
    /// <summary>Parts with nothing in them are left out, but for the wildcard, whose holder learns from it that there is nothing.</summary>
    public static List<(Watch Watch, ResourceUpdate Update)> Route(ResourceType type, DecodedResponse response, UpdateStream stream, WatchList watches)
    {
        var result = new List<(Watch, ResourceUpdate)>();
        var everything = new List<DiscoveredResource>(response.Entries.Count);
        foreach (var entry in response.Entries)
        {
            if (response.IsFullSet || !entry.IsHeartbeat)
            {
                everything.Add(entry.Item.Resource);
            }
        }
        var onlyHeartbeats = response.Entries.Count > 0 && everything.Count == 0 && response.Removed.Count == 0;
        if (!onlyHeartbeats)
        {
            foreach (var watch in watches.Wildcard)
            {
                result.Add((watch, new ResourceUpdate(type, response.Version, stream, response.IsFullSet, everything, response.Removed)));
            }
        }
        if (!watches.HasNamed)
        {
            return result;
        }
        var parts = new Dictionary<Watch, (List<DiscoveredResource> Resources, List<string> Removed)>();
        if (response.IsFullSet)
        {
            foreach (var watch in watches.All)
            {
                if (!watch.IsWildcard)
                {
                    parts.Add(watch, ([], []));
                }
            }
        }
        foreach (var resource in everything)
        {
            foreach (var watch in watches.Of(resource.Name))
            {
                Part(parts, watch).Resources.Add(resource);
            }
        }
        foreach (var name in response.Removed)
        {
            foreach (var watch in watches.Of(name))
            {
                Part(parts, watch).Removed.Add(name);
            }
        }
        foreach (var (watch, (resources, removed)) in parts)
        {
            result.Add((watch, new ResourceUpdate(type, response.Version, stream, response.IsFullSet, resources, removed)));
        }
        return result;
    }

    /// <summary>What takes an update back: the state before it.</summary>
    public static ResourceUpdate Undo(Watch watch, ResourceUpdate update, HeldResources held, string version)
    {
        var resources = new List<DiscoveredResource>();
        var removed = new List<string>();
        if (update.IsFullSet)
        {
            return Replay(watch, update.Type, held, version, update.Stream);
        }
        foreach (var resource in update.Resources)
        {
            if (held.Find(resource.Name) is { } old)
            {
                resources.Add(old.Resource);
            }
            else
            {
                removed.Add(resource.Name);
            }
        }
        foreach (var name in update.Removed)
        {
            if (held.Find(name) is { } old)
            {
                resources.Add(old.Resource);
            }
        }
        return update with { Version = version, Resources = resources, Removed = removed };
    }

    /// <summary>What is held for a subscription.</summary>
    public static ResourceUpdate Replay(Watch watch, ResourceType type, HeldResources held, string version, UpdateStream stream)
    {
        var resources = new List<DiscoveredResource>();
        if (watch.IsWildcard)
        {
            foreach (var item in held.All)
            {
                resources.Add(item.Resource);
            }
        }
        foreach (var name in watch.Names)
        {
            if (held.Find(name) is { } item)
            {
                resources.Add(item.Resource);
            }
        }
        return new ResourceUpdate(type, version, stream, type.IsFullSet, resources, []);
    }

    private static (List<DiscoveredResource> Resources, List<string> Removed) Part(
        Dictionary<Watch, (List<DiscoveredResource> Resources, List<string> Removed)> parts, Watch watch)
    {
        if (!parts.TryGetValue(watch, out var part))
        {
            parts.Add(watch, part = ([], []));
        }
        return part;
    }
}
