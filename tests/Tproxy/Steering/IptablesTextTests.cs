using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Text.RegularExpressions;
using Postern.Tproxy;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Tproxy.Steering;

public sealed class IptablesTextTests
{
    private const string Installed =
        "-P PREROUTING ACCEPT\n-N POSTERN_PRE_mangle\n-N FOREIGN\n"
        + "-A PREROUTING -m comment --comment \"postern-feeder: POSTERN_PRE_mangle\" -j POSTERN_PRE_mangle\n"
        + "-A PREROUTING -m comment --comment \"not about POSTERN_PRE_mangle\" -j FOREIGN\n"
        + "-A POSTERN_PRE_mangle -m comment --comment \"postern: x\" -j RETURN\n";

    [Fact]
    public void ProxysOwnPackets_AreExemptBeforeAnyOtherRule()
    {
        var script = Install("port=80,proxy-port=15001");

        Assert.StartsWith("-A POSTERN_PRE_mangle -m mark --mark 0xa00/0xe00", Regex.Match(script, "-A POSTERN_PRE_mangle.*").Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Feeder_StandsFirstInPrerouting() =>
        Assert.Contains("-I PREROUTING 1 -m comment --comment \"postern-feeder: POSTERN_PRE_mangle\" -j POSTERN_PRE_mangle\nCOMMIT\n", Install("port=80,proxy-port=15001"), StringComparison.Ordinal);

    [Fact]
    public void FullRule_BecomesOneTproxyLine() => Assert.Contains(
        "-A POSTERN_PRE_mangle -i eth0 -s 10.0.1.0/24 -d 10.0.0.2/32 -p tcp -m tcp --dport 80:90 -m comment --comment \"postern: TPROXY to port 15001\" -j TPROXY --on-ip 127.0.0.1 --on-port 15001 --tproxy-mark 0x200/0xf00\n",
        Install("to=10.0.0.2/32,port=80-90,from=10.0.1.0/24,in=eth0,proxy-port=15001"),
        StringComparison.Ordinal);

    [Fact]
    public void Answers_AreLeftAloneBeforeAnySteeringRule()
    {
        var script = Install("from=10.0.0.2,port=1-65535,proxy-port=15001");
        var answers = script.IndexOf("--ctdir REPLY -m connmark --mark 0x400/0xf00", StringComparison.Ordinal);
        Assert.InRange(answers, 0, script.IndexOf("-j TPROXY", StringComparison.Ordinal));
        Assert.Contains("-A POSTERN_POST_mangle -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctdir ORIGINAL -m connmark --mark 0x0/0xf00", script, StringComparison.Ordinal);
    }

    [Fact]
    public void Syn_IsNoAnswer() =>
        Assert.Contains("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctdir REPLY -m connmark --mark 0x400/0xf00", Install("port=80,proxy-port=15001"), StringComparison.Ordinal);

    [Fact]
    public void RuleOfTheOtherFamily_IsPassedOver() =>
        Assert.DoesNotContain("TPROXY --on-ip", Install("to=fd00::1,port=80,proxy-port=15001"), StringComparison.Ordinal);

    [Fact]
    public void RulesOfTcpOnly_SayNothingOfUdp()
    {
        var script = Install("port=80,proxy-port=15001");

        Assert.DoesNotContain("udp", script, StringComparison.Ordinal);
        Assert.DoesNotContain("older", script, StringComparison.Ordinal);
    }

    [Fact]
    public void UdpRule_BecomesOneTproxyLineBehindTheSocketMatch()
    {
        var script = Install("to=10.0.0.10/32,port=53,proto=udp,proxy-port=15053");

        var tproxy = script.IndexOf(
            "-A POSTERN_PRE_mangle -d 10.0.0.10/32 -p udp -m udp --dport 53 -m comment --comment \"postern: TPROXY to port 15053\" -j TPROXY --on-ip 127.0.0.1 --on-port 15053 --tproxy-mark 0x200/0xf00\n",
            StringComparison.Ordinal);
        Assert.InRange(script.IndexOf("-A POSTERN_PRE_mangle -p udp -m socket --transparent", StringComparison.Ordinal), 1, tproxy);
        Assert.DoesNotContain("nowildcard", script, StringComparison.Ordinal);
    }

    [Fact]
    public void LastUdpRuleReplaced_AnswersUnderWayAreStillCaught()
    {
        const string Before = Installed + "-A POSTERN_PRE_mangle -p udp -m socket --transparent -m comment --comment \"postern: packets of transparent sockets\" -j MARK --set-xmark 0x200/0xf00\n";

        var script = IptablesText.Install(IpFamily.V4, [], IPAddress.Loopback, ReturnPath.SocketMatch, AnswerRules.Told, OlderConnections.Cut, Before);

        Assert.Contains("-A POSTERN_PRE_mangle -p udp -m socket --transparent", script, StringComparison.Ordinal);
    }

    [Fact]
    public void UdpByConnectionMark_ProxysOwnDatagramsAreNoReplies()
    {
        var script = IptablesText.Install(
            IpFamily.V4, [SteeringRule.Parse("port=53,proto=udp,proxy-port=15053")], IPAddress.Loopback, ReturnPath.ConnectionMark, AnswerRules.Told, OlderConnections.Cut, string.Empty);

        Assert.Contains("-A POSTERN_OUTPUT_mangle -p udp -m mark ! --mark 0xa00/0xe00 -m conntrack --ctdir REPLY", script, StringComparison.Ordinal);
        Assert.DoesNotContain("-m socket", script, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ReturnPath.SocketMatch, "-m socket --transparent")]
    [InlineData(ReturnPath.ConnectionMark, "-m conntrack --ctstate RELATED --ctdir REPLY -m connmark --mark 0x200/0xf00")]
    public void Errors_AreMarkedByWhatTheyQuoteAndNoOtherIcmp(ReturnPath path, string of)
    {
        Assert.Equal(["-p icmp -m icmp --icmp-type 3", "-p icmp -m icmp --icmp-type 11", "-p icmp -m icmp --icmp-type 12"], Errors(IpFamily.V4));
        Assert.Equal(Enumerable.Range(1, 4).Select(type => $"-p ipv6-icmp -m icmp6 --icmpv6-type {type}"), Errors(IpFamily.V6));

        IEnumerable<string> Errors(IpFamily family)
        {
            var script = IptablesText.Install(
                family, [SteeringRule.Parse("port=80,proxy-port=15001")], IPAddress.Loopback, path, AnswerRules.Told, OlderConnections.Cut, string.Empty);
            return Regex.Matches(script, "-A POSTERN_PRE_mangle (.*icmp.*) " + Regex.Escape(of) + " -m comment --comment \"[^\"]*\" -j MARK --set-xmark 0x200/0xf00\n").Select(match => match.Groups[1].Value);
        }
    }

    [Theory]
    [InlineData(ReturnPath.SocketMatch)]
    [InlineData(ReturnPath.ConnectionMark)]
    public void OlderConnectionsKept_WhatOpensNothingAndIsNobodysReturnsBeforeTheRules(ReturnPath path)
    {
        var script = IptablesText.Install(
            IpFamily.V4, [SteeringRule.Parse("port=80,proxy-port=15001")], IPAddress.Loopback, path, AnswerRules.Told, OlderConnections.Keep, string.Empty);

        var socket = script.IndexOf("-p tcp -m socket --transparent", StringComparison.Ordinal);
        var older = script.IndexOf("-A POSTERN_PRE_mangle -p tcp -m tcp ! --tcp-flags SYN,ACK SYN -m mark ! --mark 0x200/0xf00 ", StringComparison.Ordinal);
        Assert.InRange(socket, 1, older);
        Assert.InRange(older, socket, script.IndexOf("-j TPROXY", StringComparison.Ordinal));
    }

    [Fact]
    public void EarlierFeeder_IsDeletedAndForeignRuleIsNot()
    {
        var script = IptablesText.Install(IpFamily.V4, [SteeringRule.Parse("port=80,proxy-port=15001")], IPAddress.Loopback, ReturnPath.SocketMatch, AnswerRules.Told, OlderConnections.Cut, Installed);

        Assert.Equal("-D PREROUTING -m comment --comment \"postern-feeder: POSTERN_PRE_mangle\" -j POSTERN_PRE_mangle", Assert.Single(Regex.Matches(script, "-D .*")).Value);
    }

    [Fact]
    public void Remove_NothingOfOurs_IsNoTransaction() =>
        Assert.Null(IptablesText.Remove("-P PREROUTING ACCEPT\n-N POSTERN_PRE_mangle2\n", out _));

    [Fact]
    public void Remove_TakesFeederThenRulesThenChain() => Assert.Equal(
        "*mangle\n-D PREROUTING -m comment --comment \"postern-feeder: POSTERN_PRE_mangle\" -j POSTERN_PRE_mangle\n-F POSTERN_PRE_mangle\n-X POSTERN_PRE_mangle\nCOMMIT\n",
        IptablesText.Remove(Installed, out _));

    [Fact]
    public void Remove_ForeignJumpToOurChain_ChainStays()
    {
        var script = IptablesText.Remove(Installed + "-A FOREIGN -g POSTERN_PRE_mangle\n", out var pinned);

        Assert.Equal("-A FOREIGN -g POSTERN_PRE_mangle", pinned);
        Assert.DoesNotContain("-X", script, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("eth0\nCOMMIT")]
    [InlineData("eth0 -j ACCEPT")]
    [InlineData("")]
    public void InterfaceThatIsNone_IsRefusedByTheSteering(string link)
    {
        IReadOnlyList<SteeringRule> rules = [new SteeringRule(null, null, 80, 80, link, 15001)];

        Assert.Throws<TproxyException>(() => new IptablesSteering(rules, SteeringOptions.Default, _ => { }));
    }

    [Fact]
    public void OptionsOutOfRange_NameTheOption()
    {
        AssertNames("RulePriority", SteeringOptions.Default with { RulePriority = 0 });
        AssertNames("RouteTable", SteeringOptions.Default with { RouteTable = 254 });
        AssertNames("IptablesVariant", SteeringOptions.Default with { IptablesVariant = "; reboot" });
        AssertNames("CommandTimeout", SteeringOptions.Default with { CommandTimeout = TimeSpan.Zero });
        AssertNames("ListenerV4", SteeringOptions.Default with { ListenerV4 = IPAddress.IPv6Loopback });
    }

    private static void AssertNames(string option, SteeringOptions options) =>
        Assert.Contains(option, Assert.Throws<TproxyException>(() => new IptablesSteering([], options, _ => { })).Message, StringComparison.Ordinal);

    private static string Install(string rule) =>
        IptablesText.Install(IpFamily.V4, [SteeringRule.Parse(rule)], IPAddress.Loopback, ReturnPath.SocketMatch, AnswerRules.Told, OlderConnections.Cut, string.Empty);
}
