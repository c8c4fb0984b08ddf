using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net;
using System.Text;

namespace Postern.Tproxy.Steering;

/// <summary>
/// The rules as text for iptables-restore, and recognising them in a listing. Pure.
///
/// PREROUTING feeds a packet to POSTERN_PRE_mangle, which in this order
/// 1. leaves alone what the proxy itself sent (magic 0xA00 or 0xB00): it comes by again when the destination is on this node;
/// 2. marks packets owned by one of the proxy's transparent sockets 0x200, so that the ip rule delivers them here: the replies to
///    source-preserving upstream connections, and the later packets of accepted ones, whatever the rules below say by now. It does not end the
///    chain, for a SYN that meets a TIME_WAIT socket must still reach TPROXY, which gives it to the listener; without that
///    the client is kept waiting until it sends it again;
///    ICMP errors about what those sockets sent are marked, too: they go to the client's address, and the path's MTU is told by nothing else;
/// 3. leaves alone the answers on connections that began unsteered: a rule for all that a pod sends must not catch what it answers;
/// 4. under <see cref="OlderConnections.Keep"/> leaves alone every other packet that opens no connection: what the proxy has was marked in 2;
/// 5. gives what a steering rule matches to the listener. TPROXY drops the packet if nobody listens: a dead proxy means no traffic, not
///    unpoliced traffic.
///
/// An answer is told by conntrack's direction and by the connection mark that POSTERN_POST_mangle gave to its SYN. The direction alone would
/// not do: of a connection older than the rules conntrack may see an answer first and take it for the beginning, and the client's packets would
/// then pass as answers. Without the mark such a connection is cut. A SYN is never an answer, whatever conntrack remembers of its ports.
///
/// UDP has steps 1, 2 and 5 only: without a beginning there is no answer to be told, so what matches a rule is steered, whoever spoke first.
/// Step 2 is for what servers answer to the proxy's upstream sockets, which are bound to the client's address and port and connected to the
/// server. Such a socket takes nothing else: the client's next datagram from the same port goes to the server, so by address it would have to be
/// the socket's own (local end server, remote end client), and it is steered to the listener as the first was. And TPROXY itself looks for a
/// connected socket before it looks for the listener, so an answer that matches a rule for what the server sends still reaches the upstream
/// socket. xt_socket passes over sockets bound to no address, unless told --nowildcard; a listener on 0.0.0.0 must not count as the owner of all
/// datagrams to its port. The UDP lines stay until the chain goes, since answers may be under way when the last UDP rule is replaced.
///
/// The feeder stands first in PREROUTING: an ACCEPT of somebody else's in front of it would let traffic pass by the proxy.
/// Every mark is set under the mask 0xF00, so that Kubernetes' bits and the identity survive.
/// </summary>
internal static class IptablesText
{
    internal const string PreChain = "POSTERN_PRE_mangle";
    internal const string OutChain = "POSTERN_OUTPUT_mangle";
    internal const string PostChain = "POSTERN_POST_mangle";
    internal const string ProbeChain = "POSTERN_PROBE_mangle";

    private const string ToProxy = "0x200/0xf00";
    private const string FromProxy = "0xa00/0xe00";
    private const string Unsteered = "0x400/0xf00";

    // What has SYN and no ACK may open a connection, whatever other flags it bears: some stacks take SYN with FIN. All of that is steered.
    private const string OpensNothing = "-p tcp -m tcp ! --tcp-flags SYN,ACK SYN";

    private const string AnswerMatch = "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctdir REPLY -m connmark --mark " + Unsteered;
    private const string Unmarked = "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctdir ORIGINAL -m connmark --mark 0x0/0xf00";

    // Destination unreachable, time exceeded, parameter problem; in ICMPv6 packet too big as well. Redirects are for routers' hosts, not for sockets.
    private static readonly string[] Errors4 = ["-p icmp -m icmp --icmp-type 3", "-p icmp -m icmp --icmp-type 11", "-p icmp -m icmp --icmp-type 12"];

    private static readonly string[] Errors6 =
    [
        "-p ipv6-icmp -m icmp6 --icmpv6-type 1", "-p ipv6-icmp -m icmp6 --icmpv6-type 2", "-p ipv6-icmp -m icmp6 --icmpv6-type 3", "-p ipv6-icmp -m icmp6 --icmpv6-type 4",
    ];

    /// <summary>Built-in chain and ours, in pairs.</summary>
    internal static readonly (string BuiltIn, string Own)[] Chains = [("PREROUTING", PreChain), ("OUTPUT", OutChain), ("POSTROUTING", PostChain)];

    internal static string Feeder(string own) => "postern-feeder: " + own;

    /// <summary>One transaction that replaces whatever of ours there is by <paramref name="rules"/>.</summary>
    /// <param name="family">The half to write.</param>
    /// <param name="rules">All rules; those of the other family are passed over.</param>
    /// <param name="listener">The address steered listeners are bound to.</param>
    /// <param name="path">Settled: not <see cref="ReturnPath.Automatic"/>.</param>
    /// <param name="answers">Whether the kernel can tell them.</param>
    /// <param name="older">Keep needs the socket match, whatever <paramref name="path"/> is.</param>
    /// <param name="listing">iptables -S of the table as it is now.</param>
    internal static string Install(
        IpFamily family, IReadOnlyList<SteeringRule> rules, IPAddress listener, ReturnPath path, AnswerRules answers, OlderConnections older, string listing)
    {
        var udp = listing.Contains($"\n-A {PreChain} -p udp ", StringComparison.Ordinal) || SteersUdp(family, rules);
        var text = new StringBuilder("*mangle\n");
        // Under --noflush, naming a user chain makes it or empties it.
        text.Append(CultureInfo.InvariantCulture, $":{PreChain} - [0:0]\n");
        if (path == ReturnPath.ConnectionMark)
        {
            text.Append(CultureInfo.InvariantCulture, $":{OutChain} - [0:0]\n");
        }

        if (answers == AnswerRules.Told)
        {
            text.Append(CultureInfo.InvariantCulture, $":{PostChain} - [0:0]\n");
        }

        AppendUnfeed(text, listing);
        text.Append(CultureInfo.InvariantCulture, $"-A {PreChain} -m mark --mark {FromProxy} -m comment --comment \"postern: proxy's own traffic\" -j RETURN\n");
        if (path == ReturnPath.ConnectionMark)
        {
            AppendConnectionMarks(text, "tcp", string.Empty);
            if (udp)
            {
                // The upstream socket has the client's port, so that to conntrack the proxy's datagrams to the client are replies to what it sent
                // to the server. Marked for delivery here they would come back to it.
                AppendConnectionMarks(text, "udp", $"-m mark ! --mark {FromProxy} ");
            }

            text.Append(CultureInfo.InvariantCulture, $"-I OUTPUT 1 -m comment --comment \"{Feeder(OutChain)}\" -j {OutChain}\n");
        }
        else if (Holds(listing, OutChain))
        {
            text.Append(CultureInfo.InvariantCulture, $"-F {OutChain}\n-X {OutChain}\n");
        }

        if (path == ReturnPath.SocketMatch || older == OlderConnections.Keep)
        {
            AppendSocketMatch(text, "tcp");
        }

        if (path == ReturnPath.SocketMatch && udp)
        {
            AppendSocketMatch(text, "udp");
        }

        AppendErrors(text, family, path);
        if (answers == AnswerRules.Told)
        {
            text.Append(CultureInfo.InvariantCulture, $"-A {PreChain} {AnswerMatch} -m comment --comment \"postern: answers on unsteered connections\" -j RETURN\n");
            text.Append(CultureInfo.InvariantCulture, $"-A {PostChain} {Unmarked} -m comment --comment \"postern: this connection begins unsteered\" -j CONNMARK --set-xmark {Unsteered}\n");
            text.Append(CultureInfo.InvariantCulture, $"-I POSTROUTING 1 -m comment --comment \"{Feeder(PostChain)}\" -j {PostChain}\n");
        }

        if (older == OlderConnections.Keep)
        {
            text.Append(CultureInfo.InvariantCulture, $"-A {PreChain} {OpensNothing} -m mark ! --mark {ToProxy} -m comment --comment \"postern: older connections go on\" -j RETURN\n");
        }

        foreach (var rule in rules)
        {
            if (rule.Concerns(family))
            {
                AppendTproxy(text, rule, listener);
            }
        }

        text.Append(CultureInfo.InvariantCulture, $"-I PREROUTING 1 -m comment --comment \"{Feeder(PreChain)}\" -j {PreChain}\n");
        return text.Append("COMMIT\n").ToString();
    }

    /// <summary>One transaction that takes away what is ours, or null if nothing is.</summary>
    /// <param name="listing">iptables -S of the table as it is now.</param>
    /// <param name="pinned">Set to a foreign rule that jumps to a chain of ours, which then is emptied but stays.</param>
    internal static string? Remove(string listing, out string? pinned)
    {
        pinned = null;
        var text = new StringBuilder("*mangle\n");
        var before = text.Length;
        AppendUnfeed(text, listing);
        foreach (var chain in (ReadOnlySpan<string>)[PreChain, OutChain, PostChain, ProbeChain])
        {
            if (!Holds(listing, chain))
            {
                continue;
            }

            text.Append(CultureInfo.InvariantCulture, $"-F {chain}\n");
            if (ForeignJump(listing, chain) is { } jump)
            {
                pinned = jump;
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"-X {chain}\n");
            }
        }

        return text.Length == before ? null : text.Append("COMMIT\n").ToString();
    }

    /// <summary>A chain nothing leads to, with one rule: whether the kernel takes it tells if it has what the rule needs.</summary>
    internal static string Probe(string rule) => $"*mangle\n:{ProbeChain} - [0:0]\n-A {ProbeChain} {rule}\nCOMMIT\n";

    internal const string ProbeSocket = "-p tcp -m socket --transparent -j MARK --set-xmark " + ToProxy;

    internal const string ProbeConnmark = "-p tcp -m conntrack --ctdir REPLY -m connmark --mark " + ToProxy + " -j CONNMARK --set-xmark " + ToProxy;

    internal const string ProbeAnswers = Unmarked + " -j CONNMARK --set-xmark " + Unsteered;

    internal const string ProbeComment = "-m comment --comment postern -j RETURN";

    internal const string ProbeTproxy = "-p tcp -m tcp --dport 1 -j TPROXY --on-port 1 --tproxy-mark " + ToProxy;

    /// <summary>Whether the table has that chain.</summary>
    internal static bool Holds(string listing, string chain) => ("\n" + listing).Contains($"\n-N {chain}\n", StringComparison.Ordinal);

    private static bool SteersUdp(IpFamily family, IReadOnlyList<SteeringRule> rules)
    {
        foreach (var rule in rules)
        {
            if (rule.Protocol == SteeringProtocol.Udp && rule.Concerns(family))
            {
                return true;
            }
        }

        return false;
    }

    private static void AppendSocketMatch(StringBuilder text, string protocol) =>
        text.Append(CultureInfo.InvariantCulture, $"-A {PreChain} -p {protocol} -m socket --transparent -m comment --comment \"postern: packets of transparent sockets\" -j MARK --set-xmark {ToProxy}\n");

    private static void AppendErrors(StringBuilder text, IpFamily family, ReturnPath path)
    {
        // Both matches look at the packet that the error quotes. A connection's mark says who began it, so that only errors on the way back count.
        var of = path == ReturnPath.ConnectionMark ? $"-m conntrack --ctstate RELATED --ctdir REPLY -m connmark --mark {ToProxy}" : "-m socket --transparent";
        foreach (var error in family == IpFamily.V4 ? Errors4 : Errors6)
        {
            text.Append(CultureInfo.InvariantCulture, $"-A {PreChain} {error} {of} -m comment --comment \"postern: errors about what the proxy sent\" -j MARK --set-xmark {ToProxy}\n");
        }
    }

    /// <param name="text">Gets the lines.</param>
    /// <param name="protocol">As iptables calls it.</param>
    /// <param name="local">What else must hold of replies that start on this host, with a blank at the end.</param>
    private static void AppendConnectionMarks(StringBuilder text, string protocol, string local)
    {
        text.Append(CultureInfo.InvariantCulture, $"-A {OutChain} -p {protocol} -m mark --mark {FromProxy} -m conntrack --ctdir ORIGINAL -m comment --comment \"postern: remember upstream connections\" -j CONNMARK --set-xmark {ToProxy}\n");
        text.Append(CultureInfo.InvariantCulture, $"-A {PreChain} -p {protocol} -m conntrack --ctdir REPLY -m connmark --mark {ToProxy} -m comment --comment \"postern: replies to upstream connections\" -j MARK --set-xmark {ToProxy}\n");
        text.Append(CultureInfo.InvariantCulture, $"-A {OutChain} -p {protocol} {local}-m conntrack --ctdir REPLY -m connmark --mark {ToProxy} -m comment --comment \"postern: replies of servers on this host\" -j MARK --set-xmark {ToProxy}\n");
    }

    private static void AppendTproxy(StringBuilder text, SteeringRule rule, IPAddress listener)
    {
        text.Append("-A ").Append(PreChain);
        if (rule.InInterface is { } link)
        {
            text.Append(" -i ").Append(link);
        }

        if (rule.Source is { } from)
        {
            text.Append(" -s ").Append(from);
        }

        if (rule.Destination is { } to)
        {
            text.Append(" -d ").Append(to);
        }

        var protocol = rule.Protocol == SteeringProtocol.Udp ? "udp" : "tcp";
        text.Append(CultureInfo.InvariantCulture, $" -p {protocol} -m {protocol} --dport {rule.DestinationPort}");
        if (rule.DestinationPortEnd != rule.DestinationPort)
        {
            text.Append(CultureInfo.InvariantCulture, $":{rule.DestinationPortEnd}");
        }

        text.Append(CultureInfo.InvariantCulture, $" -m comment --comment \"postern: TPROXY to port {rule.ProxyPort}\" -j TPROXY --on-ip {listener} --on-port {rule.ProxyPort} --tproxy-mark {ToProxy}\n");
    }

    private static void AppendUnfeed(StringBuilder text, string listing)
    {
        foreach (var line in listing.Split('\n'))
        {
            foreach (var (builtIn, own) in Chains)
            {
                // The listing's quoting is what restore reads, so the line is its own delete command.
                if (line.StartsWith($"-A {builtIn} ", StringComparison.Ordinal) && IsFeeder(line, own))
                {
                    text.Append("-D").Append(line.AsSpan(2)).Append('\n');
                }
            }
        }
    }

    private static bool IsFeeder(string line, string own) =>
        line.EndsWith($" -j {own}", StringComparison.Ordinal) && line.Contains($"--comment \"{Feeder(own)}\"", StringComparison.Ordinal);

    private static string? ForeignJump(string listing, string chain)
    {
        foreach (var line in listing.Split('\n'))
        {
            if (line.StartsWith("-A ", StringComparison.Ordinal)
                && (line.EndsWith($" -j {chain}", StringComparison.Ordinal) || line.EndsWith($" -g {chain}", StringComparison.Ordinal))
                && !IsFeeder(line, chain))
            {
                return line;
            }
        }

        return null;
    }
}
