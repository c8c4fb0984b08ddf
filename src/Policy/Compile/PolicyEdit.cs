using System;
using System.Collections.Generic;
using Postern.Policy.Config;

namespace Postern.Policy.Compile;

/// <summary>
/// Builds the next snapshot from the changes to the previous one. An endpoint keeps its slot; the table of names and addresses is shared
/// while no key changes, and copied once otherwise. So a change of one costs no hashing of the others.
/// </summary>
internal sealed class PolicyEdit(PolicySnapshot previous)
{
    private readonly List<(int Slot, NetworkPolicyConfig Config)> changed = [];
    private readonly List<NetworkPolicyConfig> added = [];
    private readonly List<(int Slot, NetworkPolicyConfig Config)> renewed = [];
    private readonly List<int> removed = [];

    /// <summary>The resources to compile.</summary>
    public IEnumerable<NetworkPolicyConfig> Upserts
    {
        get
        {
            foreach (var (_, config) in changed)
            {
                yield return config;
            }
            foreach (var config in added)
            {
                yield return config;
            }
        }
    }

    /// <summary>Slots that changed or go.</summary>
    public int Lost => changed.Count + removed.Count;

    /// <summary>Takes a resource of the update.</summary>
    /// <param name="config">The resource.</param>
    /// <param name="likely">Slot where its unchanged predecessor may be: tried before names are compared.</param>
    /// <returns>Its slot in the previous snapshot, or -1: it is new.</returns>
    public int Put(NetworkPolicyConfig config, int likely)
    {
        if ((uint)likely < (uint)previous.Resources.Count && ReferenceEquals(previous.Resources[likely], config))
        {
            return likely;
        }
        if (!previous.Keys.TryGetValue(config.Name, out var key) || key.Kind != PolicyKeyKind.Name)
        {
            added.Add(config);
            return -1;
        }
        var old = previous.Resources[key.Slot];
        if (!ReferenceEquals(old, config))
        {
            // Of an equal one the new object is kept, so that the next comparison is one of references.
            (old.Equals(config) ? renewed : changed).Add((key.Slot, config));
        }
        return key.Slot;
    }

    public void Remove(int slot) => removed.Add(slot);

    /// <summary>Applies the changes; null when a name or an address would stand twice.</summary>
    public PolicySnapshot? Finish(Func<NetworkPolicyConfig, EndpointPolicy> compile, Func<CompilePool?> pool)
    {
        if (changed.Count + added.Count + removed.Count + renewed.Count == 0)
        {
            return previous;
        }
        var keys = EditKeys(out var slots);
        if (keys is null)
        {
            return null;
        }
        var count = previous.Endpoints.Count + added.Count - removed.Count;
        var room = Math.Max(count, previous.Endpoints.Count);
        var resources = previous.CopyResources(room);
        var endpoints = previous.CopyEndpoints(room);
        foreach (var (slot, config) in changed)
        {
            resources[slot] = config;
            endpoints[slot] = compile(config);
        }
        foreach (var (slot, config) in renewed)
        {
            resources[slot] = config;
        }
        for (var i = 0; i < added.Count; i++)
        {
            resources[slots[i]] = added[i];
            endpoints[slots[i]] = compile(added[i]);
        }
        Compact(keys, resources, endpoints, count);
        return new PolicySnapshot(
            resources.Length == count ? resources : resources[..count],
            endpoints.Length == count ? endpoints : endpoints[..count],
            keys,
            previous.Secrets.Change(Gone(), Upserts),
            previous.Tls.Change(Gone(), Upserts),
            pool());
    }

    private IEnumerable<NetworkPolicyConfig> Gone()
    {
        foreach (var (slot, _) in changed)
        {
            yield return previous.Resources[slot];
        }
        foreach (var slot in removed)
        {
            yield return previous.Resources[slot];
        }
    }

    private Dictionary<string, PolicyKey>? EditKeys(out int[] slots)
    {
        slots = new int[added.Count];
        if (added.Count + removed.Count == 0 && !changed.Exists(c => !c.Config.EndpointIps.Equals(previous.Resources[c.Slot].EndpointIps)))
        {
            return previous.Keys;
        }
        var keys = new Dictionary<string, PolicyKey>(previous.Keys, StringComparer.Ordinal);
        foreach (var slot in removed)
        {
            RemoveKeys(keys, previous.Resources[slot]);
        }
        foreach (var (slot, _) in changed)
        {
            RemoveKeys(keys, previous.Resources[slot]);
        }
        var clash = false;
        foreach (var (slot, config) in changed)
        {
            clash |= !AddKeys(keys, config, slot);
        }
        for (var i = 0; i < added.Count; i++)
        {
            slots[i] = i < removed.Count ? removed[i] : previous.Endpoints.Count + i - removed.Count;
            clash |= !AddKeys(keys, added[i], slots[i]);
        }
        return clash ? null : keys;
    }

    // Slots that nobody took over are filled from the end.
    private void Compact(Dictionary<string, PolicyKey> keys, NetworkPolicyConfig[] resources, EndpointPolicy[] endpoints, int count)
    {
        var holes = new HashSet<int>();
        for (var i = added.Count; i < removed.Count; i++)
        {
            holes.Add(removed[i]);
        }
        var last = resources.Length - 1;
        foreach (var hole in holes)
        {
            if (hole >= count)
            {
                continue;
            }
            while (holes.Contains(last))
            {
                last--;
            }
            resources[hole] = resources[last];
            endpoints[hole] = endpoints[last];
            RemoveKeys(keys, resources[hole]);
            AddKeys(keys, resources[hole], hole);
            last--;
        }
    }

    private static void RemoveKeys(Dictionary<string, PolicyKey> keys, NetworkPolicyConfig config)
    {
        keys.Remove(config.Name);
        foreach (var address in config.EndpointIps)
        {
            keys.Remove(address);
        }
    }

    private static bool AddKeys(Dictionary<string, PolicyKey> keys, NetworkPolicyConfig config, int slot)
    {
        var free = keys.TryAdd(config.Name, new PolicyKey(slot, PolicyKeyKind.Name));
        foreach (var address in config.EndpointIps)
        {
            free &= keys.TryAdd(address, new PolicyKey(slot, PolicyKeyKind.Address));
        }
        return free;
    }
}
