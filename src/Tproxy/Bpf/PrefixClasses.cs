using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Bpf;

/// <summary>
/// The classes of one set of rules: one for each prefix that is named. They are numbered from 1 in the order of the sorted prefixes, so the classes
/// within a prefix are its own and those that follow, up to the last it covers.
/// </summary>
internal sealed class PrefixClasses
{
    private readonly SteeringPrefix[] prefixes; // sorted; class id less 1
    private readonly int[] lasts; // index of the last one covered

    /// <param name="named">In any order, also more than once.</param>
    internal PrefixClasses(List<SteeringPrefix> named)
    {
        named.Sort();
        var sorted = CollectionsMarshal.AsSpan(named);
        var count = 0;
        foreach (var prefix in sorted)
        {
            if (count == 0 || prefix != sorted[count - 1])
            {
                sorted[count++] = prefix;
            }
        }

        prefixes = sorted[..count].ToArray();
        lasts = new int[count];
        var open = new Stack<int>();
        for (var i = 0; i <= count; i++)
        {
            while (open.TryPeek(out var top) && (i == count || !prefixes[top].Covers(prefixes[i])))
            {
                lasts[open.Pop()] = i - 1;
            }

            open.Push(i);
        }
    }

    internal int Count => prefixes.Length;

    internal SteeringPrefix Prefix(uint id) => prefixes[id - 1];

    /// <summary>First and last class within a prefix, which must be one of those named.</summary>
    internal (uint First, uint Last) Within(SteeringPrefix prefix)
    {
        var index = Array.BinarySearch(prefixes, prefix);
        return ((uint)index + 1, (uint)lasts[index] + 1);
    }
}
