using System;
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.InteropServices;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>
/// From the ordered list of rules to the entries of the maps. The program has no list to walk: it asks for the classes of the two addresses, and then
/// for the keys that a rule about them can have. So that the entry of the lowest order among those is the first rule of the list that matches
/// - a rule of a prefix is repeated for the classes within, since an address has one class, that of its most specific prefix;
/// - ports of rules that share a key's other parts are made disjoint, and cut into blocks that agree in their leading bits;
/// - rules that differ in what they name (one end, both, a device, nothing) have keys of their own, and the program compares their orders.
/// Pure.
/// </summary>
internal static class SteeringCompiler
{
    internal const int MostRules = 65_536;
    internal const int MostEntries = 1_048_576;

    /// <param name="rules">In force, the first that matches decides.</param>
    /// <param name="draining">Not in force any more; for the connections the proxy has. A rule in force always goes first.</param>
    /// <param name="interfaces">Indexes of the devices that a rule's interface (<c>eth0</c>, <c>c+</c>) means now; none if there is none.</param>
    /// <exception cref="TproxyException">More rules or entries than the maps are made for.</exception>
    internal static CompiledSteering Compile(IReadOnlyList<SteeringRule> rules, IReadOnlyList<SteeringRule> draining, Func<string, IReadOnlyList<uint>> interfaces)
    {
        DemandRules(rules.Count, "steering rules");
        DemandRules(draining.Count, "steering rules that still drain");

        var effective = EffectiveRule.Of(rules, draining, interfaces);
        var classes = Classes(effective);
        var combined = Combine(effective, classes);

        var uses = new SteeringUses(classes.Count);
        var entries = new List<KeyValuePair<byte[], byte[]>>(combined.Items + classes.Count);
        var intervals = new List<PortInterval>();
        var blocks = new List<PortBlock>();
        for (var i = 0; i < combined.Combinations; i++)
        {
            PortInterval.Flatten(combined.Get(i, out var combination), intervals);
            foreach (var interval in intervals)
            {
                var rule = effective[(int)interval.Order];
                PortBlock.Split(interval.First, interval.Last, blocks);
                DemandEntries(entries.Count + blocks.Count);
                foreach (var block in blocks)
                {
                    uses.Add(combination, block.Length);
                    entries.Add(SteeringEntry.Rule(combination, block, interval.Order, rule.ProxyPort, rule.Flags));
                }
            }
        }

        var prefixes4 = new List<KeyValuePair<byte[], byte[]>>();
        var prefixes6 = new List<KeyValuePair<byte[], byte[]>>();
        for (var id = 1u; id <= classes.Count; id++)
        {
            var prefix = classes.Prefix(id);
            if (prefix.IsHost)
            {
                entries.Add(SteeringEntry.Address(prefix, id, uses[id]));
            }
            else
            {
                (prefix.Version == 4 ? prefixes4 : prefixes6).Add(SteeringEntry.Prefix(prefix, id, uses[id]));
            }
        }

        return new(uses.Filter(classes), entries, prefixes4, prefixes6);
    }

    private static PrefixClasses Classes(List<EffectiveRule> rules)
    {
        var named = new List<SteeringPrefix>(rules.Count);
        foreach (ref readonly var rule in CollectionsMarshal.AsSpan(rules))
        {
            if (rule.Source is { } source)
            {
                named.Add(source);
            }

            if (rule.Destination is { } destination)
            {
                named.Add(destination);
            }
        }

        return new(named);
    }

    private static CombinedRules Combine(List<EffectiveRule> rules, PrefixClasses classes)
    {
        var combined = new CombinedRules();
        foreach (ref readonly var rule in CollectionsMarshal.AsSpan(rules))
        {
            var sources = rule.Source is { } source ? classes.Within(source) : default;
            var destinations = rule.Destination is { } destination ? classes.Within(destination) : default;
            // Before, not after: the product of two wide prefixes is more than memory holds.
            DemandEntries(combined.Items + ((long)rule.Devices.Count * (sources.Last - sources.First + 1) * (destinations.Last - destinations.First + 1)));
            foreach (var device in rule.Devices)
            {
                for (var s = sources.First; s <= sources.Last; s++)
                {
                    for (var d = destinations.First; d <= destinations.Last; d++)
                    {
                        combined.Add(new(device, s, d, rule.Protocol), rule.Ports);
                    }
                }
            }
        }

        return combined;
    }

    private static void DemandRules(int count, string what)
    {
        if (count > MostRules)
        {
            throw new TproxyException(string.Create(
                CultureInfo.InvariantCulture,
                $"{count:N0} {what} are more than the {MostRules:N0} that eBPF steering takes; use wider prefixes, or iptables (--steering iptables)"));
        }
    }

    private static void DemandEntries(long count)
    {
        if (count > MostEntries)
        {
            throw new TproxyException(string.Create(
                CultureInfo.InvariantCulture,
                $"the steering rules come to more than the {MostEntries:N0} entries that eBPF steering takes (a rule of a prefix counts once for every narrower one that rules name, a range of ports for up to 30 blocks); use wider prefixes, or iptables (--steering iptables)"));
        }
    }
}
