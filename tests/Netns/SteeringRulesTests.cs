using System;
using System.Linq;
using System.Net;
using System.Text.RegularExpressions;
using Postern.Netns.Fixture;
using Postern.Tproxy;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns;

/// <summary>What is in the kernel before, during and after steering.</summary>
public sealed class SteeringRulesTests : IDisposable
{
    private const string Rule = "to=10.71.2.0/24,port=80,proxy-port=15001";
    private const string UdpRule = "port=53,proto=udp,proxy-port=15053";
    private readonly NetworkNamespace _node = new("rules");
    private readonly SteeringRig _rig;

    public SteeringRulesTests() => _rig = new SteeringRig(_node);

    public void Dispose()
    {
        _rig.Dispose();
        _node.Dispose();
    }

    [NetnsFact]
    public void InstalledTwice_SameRulesAsOnce()
    {
        _rig.Install("port=80,proxy-port=15001");
        var once = _rig.State();

        _rig.Install();

        Assert.Equal(once, _rig.State());
        Assert.Equal(6, Regex.Count(once, "postern-feeder|fwmark 0x200/0xf00")); // two feeders and an ip rule for each IP version
        Assert.Equal(2, Regex.Count(once, "-j TPROXY"));
    }

    [NetnsTheory]
    [InlineData("iptables -t mangle -F POSTERN_PRE_mangle")]
    [InlineData("ip6tables -t mangle -D PREROUTING -m comment --comment postern-feeder:_POSTERN_PRE_mangle -j POSTERN_PRE_mangle")]
    [InlineData("iptables -t mangle -F PREROUTING")]
    [InlineData("iptables -t mangle -F")]
    [InlineData("ip -6 rule del priority 9")]
    [InlineData("ip -4 route flush table 2004")]
    [InlineData("iptables -t mangle -A PREROUTING -m comment --comment postern-feeder:_POSTERN_PRE_mangle -j POSTERN_PRE_mangle")]
    public void HalfRemoved_ReplaceMakesItWhole(string damage)
    {
        string[] rules = ["port=80,proxy-port=15001", UdpRule];
        _rig.Replace(rules);
        var whole = _rig.State();
        var words = damage.Split(' ');
        _node.Run(words[0], [.. words[1..].Select(word => word.Replace(":_", ": ", StringComparison.Ordinal))]).OrThrow();
        Assert.NotEqual(whole, _rig.State());

        _rig.Replace(rules);

        Assert.Equal(whole, _rig.State());
    }

    [NetnsFact]
    public void UdpRulesReplacedByTcpOnes_AnswersAreStillCaughtUntilRemoval()
    {
        _rig.Replace(UdpRule);
        Assert.Equal(2, Regex.Count(_rig.State(), "-p udp .*-j TPROXY"));

        _rig.Replace("port=80,proxy-port=15001");

        var state = _rig.State();
        Assert.DoesNotMatch("-p udp .*-j TPROXY", state);
        Assert.Equal(2, Regex.Count(state, "-p udp -m socket --transparent"));
        _rig.Remove();
        Assert.DoesNotMatch("POSTERN|postern|fwmark|local default", _rig.State());
    }

    [NetnsFact]
    public void RulesOfTcpOnly_BringNothingOfUdp()
    {
        _rig.Replace("port=80,proxy-port=15001");

        Assert.DoesNotContain("udp", _rig.State(), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void InstalledAndRemoved_ForeignRulesAreUntouched()
    {
        foreach (var iptables in new[] { "iptables", "ip6tables" })
        {
            _node.Run(iptables, "-t", "mangle", "-N", "FOREIGN").OrThrow();
            _node.Run(iptables, "-t", "mangle", "-A", "FOREIGN", "-p", "tcp", "--dport", "443", "-m", "comment", "--comment", "it's \"quoted\"", "-j", "RETURN").OrThrow();
            _node.Run(iptables, "-t", "mangle", "-A", "PREROUTING", "-m", "comment", "--comment", "about POSTERN_PRE_mangle", "-j", "FOREIGN").OrThrow();
            _node.Run(iptables, "-t", "filter", "-A", "FORWARD", "-i", "x0", "-j", "DROP").OrThrow();
        }

        _node.Ip("rule add priority 9 from 10.99.0.0/16 lookup 77");
        _node.Ip("route add blackhole 10.98.0.0/16 table 2004");
        var before = _rig.State();

        _rig.Install("port=80,proxy-port=15001", UdpRule);
        var during = _rig.State();
        _rig.Remove();

        Assert.NotEqual(before, during);
        Assert.Equal(before, _rig.State());
        Assert.Contains(_rig.Log, line => line.Contains("another IPv4 ip rule has priority 9", StringComparison.Ordinal));
        Assert.Contains(_rig.Log, line => line.Contains("routing table 2004 has a route that is not ours", StringComparison.Ordinal));
    }

    [NetnsFact]
    public void SameIpRuleOfSomebodyElse_IsUsedAndLeft()
    {
        _node.Ip("rule add priority 9 fwmark 0x200/0xf00 lookup 2004");
        _node.Ip("route add local default dev lo table 2004");

        _rig.Install(Rule);
        _rig.Remove();

        Assert.Contains("fwmark 0x200/0xf00", _node.Ip("-4 rule"), StringComparison.Ordinal);
        Assert.Contains("local default dev lo", _node.Ip("-4 route show table 2004"), StringComparison.Ordinal);
        Assert.Contains(_rig.Log, line => line.Contains("was there already and is not ours", StringComparison.Ordinal));
    }

    [NetnsFact]
    public void AnotherDefaultRouteInTheTable_IsAnErrorAndLeavesNothing()
    {
        _node.Ip("route add blackhole default table 2004");

        var error = Assert.Throws<TproxyException>(() => _rig.Install(Rule));

        Assert.Contains("choose another RouteTable", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("POSTERN", _rig.State(), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void LeftoversOfACrash_AreReplacedByANewInstall()
    {
        _rig.Install("to=10.71.2.0/24,port=80,proxy-port=15001", "to=fd71:2::/64,port=80,proxy-port=15001");
        _rig.Crash();

        _rig.Install("to=10.71.3.0/24,port=81,proxy-port=15002");

        var state = _rig.State();
        Assert.DoesNotContain("15001", state, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(state, "-j TPROXY"));
        Assert.Single(Regex.Matches(state, "-A PREROUTING"));
        Assert.Contains("--on-port 15002", state, StringComparison.Ordinal);
        Assert.DoesNotContain("2004", _node.Ip("-6 rule"), StringComparison.Ordinal);
    }

    [NetnsTheory]
    [InlineData(ReturnPath.SocketMatch)]
    [InlineData(ReturnPath.ConnectionMark)]
    public void LeftoversOfACrash_AreRemovedByAStartWithoutSteering(ReturnPath path)
    {
        _rig.Install(SteeringOptions.Default with { ReturnPath = path }, "port=80,proxy-port=15001", UdpRule);
        _rig.Crash();

        Assert.True(_rig.RemoveLeftovers());

        Assert.DoesNotMatch("POSTERN|postern|fwmark|local default", _rig.State());
        Assert.False(_rig.RemoveLeftovers());
    }

    [NetnsFact]
    public void SteeringOfALivingProcess_IsNoLeftover()
    {
        _rig.Install(Rule);

        Assert.False(_rig.RemoveLeftovers());

        Assert.Contains("--on-port 15001", _rig.State(), StringComparison.Ordinal);
        var error = Assert.Throws<TproxyException>(() => _node.Inside(() =>
            _rig.Make(SteeringOptions.Default with { CommandTimeout = TimeSpan.FromMilliseconds(200) }, Rule).Install()));
        Assert.Contains("another process steers", error.Message, StringComparison.Ordinal);
    }

    [NetnsFact]
    public void RulesReplaced_OnlyTheNewOnesStandUnderTheSameLock()
    {
        _rig.Install(Rule);

        _rig.Replace("to=10.71.3.0/24,port=81,proxy-port=15002");

        var state = _rig.State();
        Assert.DoesNotContain("15001", state, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(state, "-j TPROXY"));
        Assert.Single(Regex.Matches(state, "-A PREROUTING"));
        Assert.False(_rig.RemoveLeftovers());
    }

    [NetnsFact]
    public void LastRuleReplacedByNone_ChainStaysForOpenConnections()
    {
        _rig.Install(Rule);

        _rig.Replace();

        var state = _rig.State();
        Assert.DoesNotContain("-j TPROXY", state, StringComparison.Ordinal);
        Assert.Contains("-j POSTERN_PRE_mangle", state, StringComparison.Ordinal);
        Assert.Contains("lookup 2004", state, StringComparison.Ordinal);
        _rig.Remove();
        Assert.DoesNotMatch("POSTERN|postern|fwmark|local default", _rig.State());
    }

    [NetnsFact]
    public void LeftoversOfACrashClaimed_StayUntilReplaced()
    {
        _rig.Install(Rule);
        _rig.Crash();

        _rig.Claim();

        Assert.False(_rig.RemoveLeftovers());
        Assert.Contains("--on-port 15001", _rig.State(), StringComparison.Ordinal);
        _rig.Replace("port=80,proxy-port=15003");
        Assert.DoesNotContain("15001", _rig.State(), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void MalformedReplacement_LeavesTheRulesInForce()
    {
        _rig.Install(Rule);

        Assert.Throws<TproxyException>(() => _rig.Replace("port=80,proxy-port=15003,in=-j"));

        Assert.Contains("--on-port 15001", _rig.State(), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void OwnerIsKilled_LockGoesWithItAndTheRulesBecomeLeftovers()
    {
        _rig.Install(Rule);
        _rig.Crash();
        using var owner = _rig.HoldLockElsewhere();
        try
        {
            Assert.False(_rig.RemoveLeftovers());
            Assert.Contains("-j TPROXY", _rig.State(), StringComparison.Ordinal);
        }
        finally
        {
            owner.Kill(entireProcessTree: true);
            owner.WaitForExit();
        }

        Assert.True(_rig.RemoveLeftovers());
    }

    [NetnsFact]
    public void ForeignRuleLeadsToOurChain_ChainStaysEmptyAndIsReported()
    {
        _rig.Install(Rule);
        _node.Run("iptables", "-t", "mangle", "-A", "PREROUTING", "-j", "POSTERN_PRE_mangle").OrThrow();

        _rig.Remove();

        Assert.DoesNotContain("TPROXY", _rig.State(), StringComparison.Ordinal);
        Assert.Contains(_rig.Log, line => line.Contains("-A PREROUTING -j POSTERN_PRE_mangle", StringComparison.Ordinal));
    }

    [NetnsFact]
    public void IPv6SwitchedOff_OnlyIPv4IsSteeredAndSaysSo()
    {
        _node.Sysctl("net.ipv6.conf.all.disable_ipv6", "1");
        _node.Sysctl("net.ipv6.conf.default.disable_ipv6", "1");

        _rig.Install("port=80,proxy-port=15001");

        Assert.Single(Regex.Matches(_rig.State(), "-j TPROXY"));
        Assert.Contains(_rig.Log, line => line.Contains("IPv6 is switched off", StringComparison.Ordinal));
    }

    [NetnsFact]
    public void LoopbackDown_ErrorNamesTheMendAndNothingStays()
    {
        // IPv4 takes the route all the same; IPv6 does not, and then what IPv4 got must go again.
        _node.Ip("link set lo down");

        var error = Assert.Throws<TproxyException>(() => _rig.Install("port=80,proxy-port=15001"));

        Assert.Contains("ip link set lo up", error.Message, StringComparison.Ordinal);
        Assert.DoesNotMatch("POSTERN|fwmark", _rig.State());
    }

    [NetnsFact]
    public void WithoutCapability_ErrorNamesItAndTheMend()
    {
        TproxyException? steering = null, listener = null, marked = null, upstream = null;
        Unprivileged.Run(() =>
        {
            steering = Assert.Throws<TproxyException>(() => _rig.Make(SteeringOptions.Default, Rule).Install());
            var spec = new ListenerSpec(new IPEndPoint(IPAddress.Loopback, 0));
            listener = Assert.Throws<TproxyException>(() => TransparentListener.Listen(spec with { Transparent = true }));
            marked = Assert.Throws<TproxyException>(() => TransparentListener.Listen(spec with { Mark = ProxyMark.Ingress }));
            upstream = Assert.Throws<TproxyException>(() => UpstreamSocket.Create(
                new UpstreamSpec(IPEndPoint.Parse("10.71.2.2:80")) { Source = IPAddress.Parse("10.71.1.2") }));
            TransparentListener.Listen(spec).Dispose();
        });

        Assert.All(new[] { steering!, listener!, marked!, upstream! }, error =>
        {
            Assert.Contains("CAP_NET_ADMIN", error.Message, StringComparison.Ordinal);
            Assert.Contains("run as root", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        });
    }

    [NetnsFact]
    public void UpstreamSocket_IsMarkedTransparentAndHasNoPortYet() => _node.Inside(() =>
    {
        foreach (var (to, from, level, transparent) in new[] { ("10.71.2.2:80", "10.71.1.2", 0, 19), ("[fd71:2::2]:80", "fd71:1::2", 41, 75) })
        {
            var spec = new UpstreamSpec(IPEndPoint.Parse(to)) { Source = IPAddress.Parse(from), Mark = ProxyMark.For(ProxyDirection.Egress, 0xFEDC) };
            using var socket = UpstreamSocket.Create(spec);
            var value = new byte[4];
            socket.GetRawSocketOption(level, transparent, value);
            Assert.Equal(1, BitConverter.ToInt32(value));
            socket.GetRawSocketOption(1, 36, value);
            Assert.Equal(0xFEDC_0B00u, BitConverter.ToUInt32(value));
            Assert.Equal(new IPEndPoint(IPAddress.Parse(from), 0), socket.LocalEndPoint);
        }
    });

    [NetnsFact]
    public void LockFolderUnusable_LookingForLeftoversIsNoReasonNotToStart()
    {
        var lines = new System.Collections.Generic.List<string>();

        Assert.False(_node.Inside(() => IptablesSteering.RemoveLeftovers(SteeringOptions.Default with { LockDirectory = "/proc/none" }, lines.Add)));

        Assert.Contains("LockDirectory", Assert.Single(lines), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void LaterInstallFails_EarlierRulesStayInForce()
    {
        _rig.Install("port=80,proxy-port=15001");
        var before = _rig.State();
        _node.Run("ip", "-4", "route", "replace", "blackhole", "default", "table", "2004").OrThrow();

        Assert.Throws<TproxyException>(() => _rig.Install());

        Assert.Equal(Regex.Count(before, "-j TPROXY"), Regex.Count(_rig.State(), "-j TPROXY"));
    }

    [NetnsFact]
    public void PortInUse_ErrorNamesAddressAndHolder()
    {
        _node.Inside(() =>
        {
            using var first = TransparentListener.Listen(new ListenerSpec(IPEndPoint.Parse("127.0.0.1:15001")) { Transparent = true });

            var error = Assert.Throws<TproxyException>(() => TransparentListener.Listen(new ListenerSpec(IPEndPoint.Parse("127.0.0.1:15001"))));

            Assert.Contains("127.0.0.1:15001", error.Message, StringComparison.Ordinal);
            Assert.Contains($"pid {Environment.ProcessId}, this process", error.Message, StringComparison.Ordinal);
        });
    }

    [NetnsFact("iptables-legacy-restore")]
    public void LegacyIptables_InstallsTwiceAndRemoves()
    {
        string Legacy() => string.Join('\n', _node.Run("iptables-legacy", "-t", "mangle", "-S").OrThrow().Split('\n').Order(StringComparer.Ordinal));
        var before = Legacy();
        var options = SteeringOptions.Default with { IptablesVariant = "-legacy" };
        _rig.Install(options with { OlderConnections = OlderConnections.Keep }, Rule, UdpRule);
        var once = Legacy();
        _rig.Install();

        Assert.Contains("-j TPROXY --on-port 15001 --on-ip 127.0.0.1 --tproxy-mark 0x200/0xf00", once, StringComparison.Ordinal);
        Assert.Equal(once, Legacy());
        _rig.Remove();
        Assert.Equal(before, Legacy());
    }
}
