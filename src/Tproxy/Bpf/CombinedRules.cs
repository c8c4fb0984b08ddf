using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Bpf;

/// <summary>The ports of all rules by their combination, in the order of the rules.</summary>
internal sealed class CombinedRules
{
    private readonly Dictionary<RuleCombination, int> places = [];
    private readonly List<(RuleCombination Combination, int First, int Last)> combinations = []; // indexes of items
    private readonly List<(PortInterval Ports, int Next)> items = []; // a chain per combination; Next is 0 at its end
    private PortInterval[] chain = new PortInterval[16];

    internal int Combinations => combinations.Count;

    internal int Items => items.Count;

    /// <summary>To be called in ascending order of the rules.</summary>
    internal void Add(RuleCombination combination, PortInterval ports)
    {
        var item = items.Count;
        items.Add((ports, 0));
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(places, combination, out var isKnown);
        if (!isKnown)
        {
            place = combinations.Count;
            combinations.Add((combination, item, item));
            return;
        }

        ref var known = ref CollectionsMarshal.AsSpan(combinations)[place];
        CollectionsMarshal.AsSpan(items)[known.Last].Next = item;
        known.Last = item;
    }

    /// <summary>The combination at an index and its ports, which are the caller's to change until the next call.</summary>
    internal Span<PortInterval> Get(int index, out RuleCombination combination)
    {
        (combination, var item, _) = combinations[index];
        var count = 0;
        do
        {
            if (count == chain.Length)
            {
                Array.Resize(ref chain, count * 2);
            }

            (chain[count++], item) = items[item];
        }
        while (item != 0);
        return chain.AsSpan(0, count);
    }
}
