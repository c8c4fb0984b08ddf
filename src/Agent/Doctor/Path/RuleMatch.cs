using System;
using System.Collections.Generic;
using System.Net;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Doctor.Path;

/// <summary>Which steering rule decides about a packet: the first that matches.</summary>
internal static class RuleMatch
{
    /// <summary>That rule, or null.</summary>
    public static SteeringRule? Find(IReadOnlyList<SteeringRule> rules, IPAddress source, IPEndPoint to, SteeringProtocol protocol, string? device)
    {
        foreach (var rule in rules)
        {
            if (rule.Protocol == protocol
                && rule.DestinationPort <= to.Port && to.Port <= rule.DestinationPortEnd
                && Covers(rule.Source, source) && Covers(rule.Destination, to.Address)
                && ComesBy(rule.InInterface, device))
            {
                return rule;
            }
        }
        return null;
    }

    private static bool Covers(IPNetwork? net, IPAddress address) =>
        net is not { } known || (known.BaseAddress.AddressFamily == address.AddressFamily && known.Contains(address));

    private static bool ComesBy(string? wanted, string? device) => wanted is null
        || (device is not null && (wanted.EndsWith('+') ? device.StartsWith(wanted[..^1], StringComparison.Ordinal) : device == wanted));
}
