using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Postern.Agent.Doctor.Checks;

/// <summary>Sysctls that decide whether steered packets live.</summary>
public sealed class SysctlCheck : INodeCheck
{
    private static readonly FindingKind Fine = new("sysctl.fine", FindingLevel.Ok, "none of the sysctls that are known to drop steered packets is set");
    private static readonly FindingKind StrictAway = new("sysctl.rp-filter-drops", FindingLevel.Failure, "the way back to an endpoint leads by another device than its packets come by: the kernel drops them as spoofed", "sysctl -w net.ipv4.conf.DEVICE.rp_filter=2");
    private static readonly FindingKind Strict = new("sysctl.rp-filter-strict", FindingLevel.Info, "packets are dropped whose way back leads by another device", "sysctl -w net.ipv4.conf.DEVICE.rp_filter=2, where routes are asymmetric");
    private static readonly FindingKind NoForwarding = new("sysctl.forwarding-off", FindingLevel.Warning, "steered traffic flows, but what is not steered is not passed between pods and network", "sysctl -w NAME=1");
    private static readonly FindingKind EarlyDemux = new("sysctl.early-demux-off", FindingLevel.Info, "costs a socket look-up more per packet, and nothing else", "sysctl -w net.ipv4.ip_early_demux=1");
    private static readonly FindingKind ValidMark = new("sysctl.src-valid-mark", FindingLevel.Failure, "the source check follows the mark into table 2004, where every source is local: steered packets are dropped as martians", "sysctl -w NAME=0 (or accept_local=1 there)");
    private static readonly FindingKind Reflect = new("sysctl.fwmark-reflect", FindingLevel.Warning, "resets for steered connections bear mark 0x200, go to lo and never reach the client", "sysctl -w NAME=0");

    public IReadOnlyList<FindingKind> Kinds => [Fine, StrictAway, Strict, NoForwarding, EarlyDemux, ValidMark, Reflect];

    public IEnumerable<Finding> Check(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var harm = false;
        foreach (var finding in Look(facts))
        {
            harm |= finding.Level >= FindingLevel.Warning;
            yield return finding;
        }
        if (!harm)
        {
            yield return Fine.At("sysctls", "rp_filter, src_valid_mark, fwmark_reflect, forwarding");
        }
    }

    /// <summary>Of a device: the stricter of its own and that of all.</summary>
    internal static int ReversePathFilter(NodeFacts facts, string device) => Math.Max(Number(facts, "ipv4/conf/all/rp_filter"), Number(facts, $"ipv4/conf/{device}/rp_filter"));

    /// <summary>Whether the kernel takes marked packets of a device for martians.</summary>
    internal static bool TakesMarkedForMartians(NodeFacts facts, string device) =>
        Math.Max(Number(facts, "ipv4/conf/all/src_valid_mark"), Number(facts, $"ipv4/conf/{device}/src_valid_mark")) == 1
        && Number(facts, "ipv4/conf/all/accept_local") != 1 && Number(facts, $"ipv4/conf/{device}/accept_local") != 1;

    private static IEnumerable<Finding> Look(NodeFacts facts)
    {
        var away = new HashSet<string>(StringComparer.Ordinal);
        foreach (var endpoint in facts.Agent.Endpoints)
        {
            foreach (var text in endpoint.Addresses)
            {
                if (endpoint.Interface is { } device && IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetwork
                    && ReversePathFilter(facts, device) == 1
                    && facts.EndpointRoutes.TryGetValue(address, out var route) && route.Refusal is null && route.Device != device && away.Add(device))
                {
                    yield return StrictAway.At($"net.ipv4.conf.{device}.rp_filter", $"1, but the route to {endpoint.Name} ({text}) leads by {route.Device}", Fill(StrictAway, device));
                }
            }
        }
        foreach (var link in facts.Network.Links)
        {
            if (!link.IsLoopback && !away.Contains(link.Name) && ReversePathFilter(facts, link.Name) == 1)
            {
                yield return Strict.At($"net.ipv4.conf.{link.Name}.rp_filter", "1 (strict)", Fill(Strict, link.Name));
            }
            if (!link.IsLoopback && TakesMarkedForMartians(facts, link.Name))
            {
                var where = Number(facts, "ipv4/conf/all/src_valid_mark") == 1 ? "all" : link.Name;
                yield return ValidMark.At($"net.ipv4.conf.{where}.src_valid_mark", $"1, and accept_local is 0 on {link.Name}", $"sysctl -w net.ipv4.conf.{where}.src_valid_mark=0 (or net.ipv4.conf.{link.Name}.accept_local=1)");
            }
        }
        foreach (var (name, unwanted, kind) in new[]
        {
            ("ipv4/ip_forward", 0, NoForwarding),
            ("ipv6/conf/all/forwarding", 0, NoForwarding),
            ("ipv4/fwmark_reflect", 1, Reflect),
            ("ipv6/fwmark_reflect", 1, Reflect),
            ("ipv4/ip_early_demux", 0, EarlyDemux),
        })
        {
            var isOff = name.StartsWith("ipv6", StringComparison.Ordinal) && !facts.Network.V6.IsEnabled;
            if (!isOff && facts.Network.Sysctls.TryGetValue(name, out var value) && value == unwanted.ToString(CultureInfo.InvariantCulture))
            {
                var sysctl = "net." + name.Replace('/', '.');
                yield return kind.At(sysctl, value, kind.Mend!.Replace("NAME", sysctl, StringComparison.Ordinal));
            }
        }
    }

    private static string Fill(FindingKind kind, string device) => kind.Mend!.Replace("DEVICE", device, StringComparison.Ordinal);

    private static int Number(NodeFacts facts, string name) =>
        facts.Network.Sysctls.TryGetValue(name, out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
