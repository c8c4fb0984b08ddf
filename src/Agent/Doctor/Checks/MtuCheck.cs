using System;
using System.Collections.Generic;
using System.Globalization;

namespace Postern.Agent.Doctor.Checks;

/// <summary>MTUs of the endpoints' devices and of the way out.</summary>
public sealed class MtuCheck : INodeCheck
{
    private const int SmallestForIpv6 = 1280; // RFC 8200, section 5

    private static readonly FindingKind Fine = new("mtu.fine", FindingLevel.Ok, "endpoints and the way out agree");
    private static readonly FindingKind Differs = new("mtu.differs", FindingLevel.Warning, "larger packets from the endpoint fit the way out only in pieces: TCP through the proxy adapts, UDP fragments are dropped where rules concern them", "ip link set DEVICE mtu SIZE, inside the pod, too");
    private static readonly FindingKind TooSmall = new("mtu.small-for-ipv6", FindingLevel.Warning, "IPv6 needs 1280; the kernel switches it off on such a device", "ip link set DEVICE mtu 1280");

    public IReadOnlyList<FindingKind> Kinds => [Fine, Differs, TooSmall];

    public IEnumerable<Finding> Check(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var uplinks = new HashSet<string>(StringComparer.Ordinal);
        foreach (var route in facts.Network.V4.Defaults)
        {
            uplinks.Add(route.Device);
        }
        foreach (var route in facts.Network.V6.Defaults)
        {
            uplinks.Add(route.Device);
        }
        var pods = new HashSet<string>(StringComparer.Ordinal);
        foreach (var endpoint in facts.Agent.Endpoints)
        {
            if (endpoint.Interface is { } device)
            {
                pods.Add(device);
            }
        }
        foreach (var route in facts.EndpointRoutes.Values)
        {
            if (route.Refusal is null)
            {
                pods.Add(route.Device);
            }
        }
        var bad = false;
        foreach (var link in facts.Network.Links)
        {
            if (facts.Network.V6.IsEnabled && !link.IsLoopback && link.IsUp && link.Mtu < SmallestForIpv6)
            {
                bad = true;
                yield return TooSmall.At(link.Name, link.Mtu.ToString(CultureInfo.InvariantCulture), Fill(TooSmall, link.Name, SmallestForIpv6));
            }
            foreach (var uplink in facts.Network.Links)
            {
                if (pods.Contains(link.Name) && !link.IsLoopback && uplinks.Contains(uplink.Name) && link.Mtu > uplink.Mtu)
                {
                    bad = true;
                    yield return Differs.At(link.Name, string.Create(CultureInfo.InvariantCulture, $"{link.Mtu}, way out {uplink.Name} {uplink.Mtu}"), Fill(Differs, link.Name, uplink.Mtu));
                }
            }
        }
        if (!bad)
        {
            yield return Fine.At("MTU", Text(facts));
        }
    }

    private static string Text(NodeFacts facts)
    {
        var words = new List<string>();
        foreach (var link in facts.Network.Links)
        {
            if (!link.IsLoopback && words.Count < 8)
            {
                words.Add(string.Create(CultureInfo.InvariantCulture, $"{link.Name} {link.Mtu}"));
            }
        }
        return words.Count == 0 ? "no device but lo" : string.Join(", ", words);
    }

    private static string Fill(FindingKind kind, string device, int size) =>
        kind.Mend!.Replace("DEVICE", device, StringComparison.Ordinal).Replace("SIZE", size.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
}
