using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Postern.Tproxy.Bpf;

namespace Postern.Tests.Netns.Bpf;

/// <summary>The maps of native/steering.h without the program, and reading them back. Nothing is pinned: they go with their descriptors.</summary>
internal sealed class SteeringMapsRig : IDisposable
{
    internal SteeringMapsRig()
    {
        Maps = new SteeringMaps
        {
            State = BpfMap.Create(BpfMapType.Array, "state", 4, SteeringLayout.StateSize, 1),
            Filters = BpfMap.Create(BpfMapType.Array, "filters", 4, SteeringLayout.FilterSize, SteeringLayout.Halves),
            Rules = Outer("rules", BpfMapType.Hash, SteeringLayout.KeySize, 0),
            Prefixes4 = Outer("prefixes4", BpfMapType.LpmTrie, SteeringLayout.Prefix4Size, BpfMap.NoPreallocation),
            Prefixes6 = Outer("prefixes6", BpfMapType.LpmTrie, SteeringLayout.Prefix6Size, BpfMap.NoPreallocation),
            Flows = BpfMap.Create(BpfMapType.Hash, "flows", SteeringLayout.FlowSize, SteeringLayout.MemorySize, 1),
            Devices = BpfMap.Create(BpfMapType.Hash, "devices", 4, 4, 1),
            Counters = BpfMap.Create(BpfMapType.Array, "counters", 4, 8, 1),
        };
    }

    internal SteeringMaps Maps { get; }

    internal (uint Generation, uint Flags) State
    {
        get
        {
            var value = new byte[SteeringLayout.StateSize];
            Maps.State.TryLookup(Index(0), value);
            return (BitConverter.ToUInt32(value), BitConverter.ToUInt32(value, 4));
        }
        set => Maps.State.Update(Index(0), [.. BitConverter.GetBytes(value.Generation), .. BitConverter.GetBytes(value.Flags)]);
    }

    internal byte[] Filter(int half)
    {
        var value = new byte[SteeringLayout.FilterSize];
        Maps.Filters.TryLookup(Index(half), value);
        return value;
    }

    /// <summary>The inner map in an element, or null. Seen from user space an element is the inner map's id.</summary>
    internal static BpfMap? Inner(BpfMap outer, int element, int keySize)
    {
        var id = new byte[4];
        if (!outer.TryLookup(Index(element), id))
        {
            return null;
        }

        var descriptor = MapById(BitConverter.ToUInt32(id));
        return descriptor >= 0 ? new BpfMap(descriptor, "inner", keySize, SteeringLayout.ValueSize) : null;
    }

    /// <summary>Key to value, both as hexadecimal; null if there is no inner map.</summary>
    internal static SortedDictionary<string, string>? Read(BpfMap outer, int element, int keySize)
    {
        using var inner = Inner(outer, element, keySize);
        if (inner is null)
        {
            return null;
        }

        var entries = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var key = new byte[keySize];
        var value = new byte[SteeringLayout.ValueSize];
        for (var more = inner.TryNextKey([], key); more; more = inner.TryNextKey(key, key))
        {
            if (inner.TryLookup(key, value))
            {
                entries.Add(Convert.ToHexString(key), Convert.ToHexString(value));
            }
        }

        return entries;
    }

    public void Dispose() => Maps.Dispose();

    private static BpfMap Outer(string name, BpfMapType type, int keySize, uint flags)
    {
        using var template = BpfMap.Create(type, name, keySize, SteeringLayout.ValueSize, 1, flags);
        return BpfMap.Create(BpfMapType.ArrayOfMaps, name, 4, 4, SteeringLayout.Halves + 1, innerMap: template.Descriptor);
    }

    private static byte[] Index(int element) => BitConverter.GetBytes(element);

    [DllImport("libbpf.so.1", EntryPoint = "bpf_map_get_fd_by_id")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int MapById(uint id);
}
