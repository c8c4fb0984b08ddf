using System;
using System.Collections.Generic;
using Postern.Tproxy.Netlink;

namespace Postern.Tproxy.Bpf;

/// <summary>Which devices the interfaces of rules mean. Remembers what was asked, to tell whether other devices would give another answer.</summary>
internal sealed class InterfaceIndexes(IReadOnlyList<NetworkDevice> devices)
{
    private readonly Dictionary<string, IReadOnlyList<uint>> asked = new(StringComparer.Ordinal);

    /// <param name="pattern"><c>eth0</c>, or <c>c+</c> for all that begin so.</param>
    internal IReadOnlyList<uint> Of(string pattern)
    {
        if (!asked.TryGetValue(pattern, out var indexes))
        {
            asked[pattern] = indexes = Find(devices, pattern);
        }

        return indexes;
    }

    internal bool HoldFor(IReadOnlyList<NetworkDevice> others)
    {
        foreach (var (pattern, indexes) in asked)
        {
            if (!((ReadOnlySpan<uint>)[.. indexes]).SequenceEqual([.. Find(others, pattern)]))
            {
                return false;
            }
        }

        return true;
    }

    private static List<uint> Find(IReadOnlyList<NetworkDevice> devices, string pattern)
    {
        var found = new List<uint>();
        foreach (var device in devices)
        {
            if (pattern.EndsWith('+') ? device.Name.StartsWith(pattern[..^1], StringComparison.Ordinal) : device.Name == pattern)
            {
                found.Add((uint)device.Index);
            }
        }

        return found;
    }
}
