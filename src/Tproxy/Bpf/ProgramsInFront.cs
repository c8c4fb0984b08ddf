using System;
using System.Collections.Generic;
using Postern.Tproxy.Netlink;

namespace Postern.Tproxy.Bpf;

/// <summary>Others' tcx programs that see a device's packets before ours does, and may keep them from it. Tells each change once.</summary>
internal sealed class ProgramsInFront(Action<string> log)
{
    private readonly Dictionary<int, IReadOnlyList<uint>> known = [];

    /// <param name="device">One that has our program.</param>
    /// <param name="others">Ids of those before ours, in order.</param>
    internal void Look(NetworkDevice device, List<uint> others)
    {
        var before = known.GetValueOrDefault(device.Index, []);
        if (Same(before, others))
        {
            return;
        }

        known[device.Index] = others;
        log(others.Count > 0
            ? $"steering: on {device.Name} other programs come before ours and may keep packets from it: {string.Join(", ", others.ConvertAll(BpfInfo.Describe))}; start them after Postern, or behind it"
            : $"steering: on {device.Name} no other program comes before ours any more");
    }

    internal void Forget(int device) => known.Remove(device);

    private static bool Same(IReadOnlyList<uint> one, List<uint> other)
    {
        var same = one.Count == other.Count;
        for (var i = 0; same && i < other.Count; i++)
        {
            same = one[i] == other[i];
        }

        return same;
    }
}
