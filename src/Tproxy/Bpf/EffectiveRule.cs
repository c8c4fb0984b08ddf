using System;
using System.Collections.Generic;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>A rule that some packet can meet on the devices that are there now.</summary>
/// <param name="Source">Null: any.</param>
/// <param name="Destination">Null: any.</param>
/// <param name="Devices">Interface indexes; 0 alone: any.</param>
/// <param name="Ports">With the rule's order.</param>
/// <param name="Protocol">TCP or UDP.</param>
/// <param name="ProxyPort">The listener's.</param>
/// <param name="Flags">postern_rule.flags.</param>
internal readonly record struct EffectiveRule(
    SteeringPrefix? Source,
    SteeringPrefix? Destination,
    IReadOnlyList<uint> Devices,
    PortInterval Ports,
    SteeringProtocol Protocol,
    ushort ProxyPort,
    ushort Flags)
{
    /// <summary>
    /// The index that no device has (they are positive ints). A rule whose device is not there keeps its addresses concerned by it: the guard drops what a
    /// device that has just come delivers before those who make the set have made it again.
    /// </summary>
    internal const uint AbsentDevice = uint.MaxValue;

    private static readonly uint[] AnyDevice = [0];
    private static readonly uint[] NoDevice = [AbsentDevice];

    /// <summary>Leaves out what no packet meets: ends of two families.</summary>
    /// <param name="rules">In order.</param>
    /// <param name="draining">They come behind.</param>
    /// <param name="interfaces">Indexes by a rule's interface; asked once per name.</param>
    internal static List<EffectiveRule> Of(IReadOnlyList<SteeringRule> rules, IReadOnlyList<SteeringRule> draining, Func<string, IReadOnlyList<uint>> interfaces)
    {
        var result = new List<EffectiveRule>(rules.Count + draining.Count);
        var devices = new Dictionary<string, IReadOnlyList<uint>>(StringComparer.Ordinal);
        foreach (var rule in rules)
        {
            Add(rule, 0);
        }

        // One that is in force as well would never be met, and is only spared the work.
        var inForce = draining.Count > 0 ? new HashSet<SteeringRule>(rules) : [];
        foreach (var rule in draining)
        {
            if (inForce.Add(rule))
            {
                Add(rule, SteeringLayout.RuleDraining);
            }
        }

        return result;

        void Add(SteeringRule rule, ushort flags)
        {
            SteeringPrefix? source = rule.Source is { } from ? SteeringPrefix.From(from) : null;
            SteeringPrefix? destination = rule.Destination is { } to ? SteeringPrefix.From(to) : null;
            if (source is { } a && destination is { } b && a.Version != b.Version)
            {
                return;
            }

            IReadOnlyList<uint>? on = AnyDevice;
            if (rule.InInterface is { } name && !devices.TryGetValue(name, out on))
            {
                on = interfaces(name);
                devices.Add(name, on = on.Count > 0 ? on : NoDevice);
            }

            if (rule.DestinationPort <= rule.DestinationPortEnd)
            {
                var ports = new PortInterval(rule.DestinationPort, rule.DestinationPortEnd, (uint)result.Count);
                result.Add(new(source, destination, on!, ports, rule.Protocol, rule.ProxyPort, flags));
            }
        }
    }
}
