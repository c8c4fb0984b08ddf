using System;
using System.Collections.Generic;

namespace Postern.Tproxy.Bpf;

/// <summary>
/// Puts a compiled set in the place of the one in force, so that each packet sees one of the two whole. Inner maps are made and filled where nothing
/// leads to them; then the half that is not in force gets them, and then the generation changes.
///
/// Packets in flight are waited for three times, by an update of a map of maps: the kernel then waits for an RCU grace period before it returns
/// (maybe_wait_bpf_programs in kernel/bpf/syscall.c, since 4.20), and the program runs within one. First, because a packet may still read the half
/// that is about to be written: the last writer waited for those, unless it died between. Then for what is written to be seen by every packet that
/// sees the new generation. And last, so that the set before can go, and nobody is judged by it once the call returns.
/// One writer at a time: the caller sees to that.
/// </summary>
internal static class SteeringSet
{
    private const int DescriptorSize = sizeof(int);

    /// <summary>Leaves state.flags as they are.</summary>
    /// <exception cref="TproxyException">The set in force stays in force.</exception>
    internal static void Write(SteeringMaps maps, CompiledSteering set)
    {
        var state = new byte[SteeringLayout.StateSize];
        maps.State.TryLookup(Index(0), state); // an array's element is always there
        var generation = BitConverter.ToUInt32(state);
        var next = unchecked(generation + 1);
        var half = (int)(next & 1);

        using var rules = Inner(BpfMapType.Hash, "rules", SteeringLayout.KeySize, set.Rules);
        using var prefixes4 = Trie("prefixes4", SteeringLayout.Prefix4Size, set.Prefixes4);
        using var prefixes6 = Trie("prefixes6", SteeringLayout.Prefix6Size, set.Prefixes6);
        using var nothing = Inner(BpfMapType.Hash, "rules", SteeringLayout.KeySize, []);

        AwaitPackets(maps, nothing);
        maps.Filters.Update(Index(half), set.Filter);
        Put(maps.Prefixes4, half, prefixes4);
        Put(maps.Prefixes6, half, prefixes6);
        Put(maps.Rules, half, rules); // last, as this one always waits
        BitConverter.TryWriteBytes(state, next);
        maps.State.Update(Index(0), state);

        try
        {
            AwaitPackets(maps, nothing);
            Empty(maps, 1 - half);
        }
        catch (TproxyException)
        {
            // The new set is in force, and to say otherwise would be worse than the memory of the old one, which goes with the next write.
        }
    }

    private static BpfMap? Trie(string name, int keySize, IReadOnlyList<KeyValuePair<byte[], byte[]>> entries) =>
        entries.Count == 0 ? null : Inner(BpfMapType.LpmTrie, name, keySize, entries);

    /// <summary>Of just the size: one in an array of maps may be of another than its template.</summary>
    private static BpfMap Inner(BpfMapType type, string name, int keySize, IReadOnlyList<KeyValuePair<byte[], byte[]>> entries)
    {
        var flags = type == BpfMapType.LpmTrie ? BpfMap.NoPreallocation : 0;
        var map = BpfMap.Create(type, name, keySize, SteeringLayout.ValueSize, Math.Max(1, entries.Count), flags);
        try
        {
            foreach (var (key, value) in entries)
            {
                map.Update(key, value);
            }

            return map;
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }

    /// <summary>Null empties the element; the filter says that nobody is to look there.</summary>
    private static void Put(BpfMap outer, int element, BpfMap? inner)
    {
        if (inner is null)
        {
            outer.Delete(Index(element));
        }
        else
        {
            outer.Update(Index(element), BitConverter.GetBytes(inner.Descriptor));
        }
    }

    private static void AwaitPackets(SteeringMaps maps, BpfMap inner) => Put(maps.Rules, SteeringLayout.WaitingElement, inner);

    private static void Empty(SteeringMaps maps, int half)
    {
        foreach (var outer in (ReadOnlySpan<BpfMap>)[maps.Rules, maps.Prefixes4, maps.Prefixes6])
        {
            outer.Delete(Index(half));
        }
    }

    private static byte[] Index(int element) => BitConverter.GetBytes(element);
}
