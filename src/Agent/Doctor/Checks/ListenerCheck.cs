using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Postern.Agent.Steer;
using Postern.Tproxy;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Doctor.Checks;

/// <summary>The sockets that rules lead to.</summary>
public sealed class ListenerCheck : INodeCheck
{
    private static readonly FindingKind Fine = new("listener.fine", FindingLevel.Ok, "a transparent, marked socket waits at the proxy port");
    private static readonly FindingKind Idle = new("listener.idle", FindingLevel.Info, "no rule is known, so no listener is needed");
    private static readonly FindingKind Nobody = new("listener.nobody", FindingLevel.Info, "rules lead to port 1 on purpose: their listener does not exist, and their traffic is dropped", "postern-agent status: problems, warnings, NACKs");
    private static readonly FindingKind Missing = new("listener.missing", FindingLevel.Failure, "nobody waits at the proxy port: what is steered there is dropped", "postern-agent status: is the proxy up, does it refuse the listener?");
    private static readonly FindingKind NotTransparent = new("listener.not-transparent", FindingLevel.Failure, "a socket without IP_TRANSPARENT gets no packets that bear another's address", "stop PROCESS, which has taken the port; the proxy's own listener needs CAP_NET_ADMIN and is transparent in its configuration");
    private static readonly FindingKind BadMark = new("listener.bad-mark", FindingLevel.Failure, "what the listener answers does not bear the proxy's mark, and is steered again", "stop PROCESS, which has taken the port, or set so_mark in the listener's filter");
    private static readonly FindingKind BadAddress = new("listener.bad-address", FindingLevel.Failure, "the socket is bound to neither 127.0.0.1, ::1 nor a wildcard: steered packets do not find it", "bind the listener to 127.0.0.1 and ::1");
    private static readonly FindingKind Shared = new("listener.shared", FindingLevel.Warning, "several sockets share the port (SO_REUSEPORT): the kernel chooses which process gets a connection; eBPF steering before 6.6 cannot assign such sockets", "stop all but one of: PROCESS");

    public IReadOnlyList<FindingKind> Kinds => [Fine, Idle, Nobody, Missing, NotTransparent, BadMark, BadAddress, Shared];

    public IEnumerable<Finding> Check(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var seen = new HashSet<(SteeringProtocol, ushort, AddressFamily)>();
        foreach (var rule in facts.Rules)
        {
            foreach (var family in (AddressFamily[])[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
            {
                var isOther = (rule.Destination ?? rule.Source) is { } net ? net.BaseAddress.AddressFamily != family : family == AddressFamily.InterNetworkV6 && !facts.Network.V6.IsEnabled;
                if (!isOther && seen.Add((rule.Protocol, rule.ProxyPort, family)))
                {
                    foreach (var finding in Judge(facts, rule.Protocol, rule.ProxyPort, family))
                    {
                        yield return finding;
                    }
                }
            }
        }
        if (seen.Count == 0)
        {
            yield return Idle.At("listeners", "no rules");
        }
    }

    /// <summary>What is to say about one proxy port.</summary>
    internal static IEnumerable<Finding> Judge(NodeFacts facts, SteeringProtocol protocol, ushort port, AddressFamily family)
    {
        var subject = string.Create(CultureInfo.InvariantCulture, $"{protocol.ToString().ToLowerInvariant()} {(family == AddressFamily.InterNetwork ? "127.0.0.1" : "[::1]")}:{port}");
        var there = new List<ListenerSocket>();
        ListenerSocket? elsewhere = null;
        foreach (var socket in facts.Listeners)
        {
            if (socket.Protocol == protocol && socket.Local.Port == port)
            {
                if (Covers(socket.Local.Address, family))
                {
                    there.Add(socket);
                }
                else if (socket.Local.AddressFamily == family)
                {
                    elsewhere = socket;
                }
            }
        }
        if (there.Count == 0 && family == AddressFamily.InterNetwork && Dual(facts, protocol, port) is { } dual)
        {
            there.Add(dual);
        }
        if (there.Count == 0)
        {
            yield return port == SteeringPlan.NobodyListens ? Nobody.At(subject, "nobody, as meant")
                : elsewhere is not null ? BadAddress.At(subject, Text(elsewhere))
                : Missing.At(subject, "nobody");
            yield break;
        }
        if (there.Count > 1)
        {
            var finding = Shared.At(subject, string.Join('\n', there.ConvertAll(Text)), Fill(Shared, string.Join(", ", there.ConvertAll(socket => socket.Process ?? "?"))));
            yield return facts.HasEbpf && !KernelCheck.IsAtLeast(facts.Kernel.Release, 6, 6) ? finding with { Level = FindingLevel.Failure } : finding;
        }
        var bad = false;
        foreach (var socket in there)
        {
            if (socket.Transparent == false)
            {
                bad = true;
                yield return NotTransparent.At(subject, Text(socket), Fill(NotTransparent, socket.Process ?? "the process"));
            }
            else if (socket.Mark is { } mark && (mark & ProxyMark.FromProxyMask) != ProxyMark.FromProxy)
            {
                bad = true;
                yield return BadMark.At(subject, Text(socket), Fill(BadMark, socket.Process ?? "the process"));
            }
        }
        if (!bad && there.Count == 1)
        {
            yield return Fine.At(subject, Text(there[0]));
        }
    }

    /// <summary>A wildcard of IPv6 takes IPv4, too, unless IPV6_V6ONLY forbids, which is not seen from here.</summary>
    private static ListenerSocket? Dual(NodeFacts facts, SteeringProtocol protocol, ushort port)
    {
        foreach (var socket in facts.Listeners)
        {
            if (socket.Protocol == protocol && socket.Local.Port == port && socket.Local.Address.Equals(IPAddress.IPv6Any))
            {
                return socket;
            }
        }
        return null;
    }

    private static bool Covers(IPAddress bound, AddressFamily family) => family == AddressFamily.InterNetwork
        ? bound.Equals(IPAddress.Loopback) || bound.Equals(IPAddress.Any)
        : bound.Equals(IPAddress.IPv6Loopback) || bound.Equals(IPAddress.IPv6Any);

    private static string Text(ListenerSocket socket)
    {
        var mark = socket.Mark is { } number ? string.Create(CultureInfo.InvariantCulture, $"mark 0x{number:x}") : "mark not seen";
        var transparent = socket.Transparent switch { true => "transparent", false => "not transparent", null => "transparency not seen" };
        return $"{socket.Local}, {transparent}, {mark}, {socket.Process ?? string.Create(CultureInfo.InvariantCulture, $"uid {socket.Uid}")}";
    }

    private static string Fill(FindingKind kind, string process) => kind.Mend!.Replace("PROCESS", process, StringComparison.Ordinal);
}
