using System.Collections.Generic;
using System.Net;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Tproxy.Bpf;

/// <summary>What of a packet decides about it, and what the list of rules says.</summary>
internal sealed record Packet(uint Device, IPAddress Source, IPAddress Destination, SteeringProtocol Protocol, ushort Port)
{
    /// <summary>Index of the first rule that matches, or null.</summary>
    /// <param name="rules">In order.</param>
    /// <param name="devices">Indexes by name.</param>
    internal int? First(IReadOnlyList<SteeringRule> rules, IReadOnlyDictionary<string, uint[]> devices)
    {
        for (var i = 0; i < rules.Count; i++)
        {
            var rule = rules[i];
            if (rule.Protocol == Protocol
                && Within(rule.Source, Source)
                && Within(rule.Destination, Destination)
                && (rule.InInterface is not { } name || System.Array.IndexOf(devices[name], Device) >= 0)
                // Port 0 is no port; it goes where port 1 goes.
                && rule.DestinationPort <= (Port == 0 ? 1 : Port) && Port <= rule.DestinationPortEnd)
            {
                return i;
            }
        }

        return null;
    }

    private static bool Within(IPNetwork? prefix, IPAddress address) =>
        prefix is not { } net
        || (net.BaseAddress.IsIPv4MappedToIPv6 && net.PrefixLength >= 96
            ? new IPNetwork(net.BaseAddress.MapToIPv4(), net.PrefixLength - 96).Contains(address)
            : net.Contains(address));
}
