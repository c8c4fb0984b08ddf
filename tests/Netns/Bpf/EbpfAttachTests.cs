using System;
using System.Linq;
using System.Net;
using Postern.Netns.Fixture;
using Postern.Tproxy;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Bpf;

/// <summary>Which devices have the program, and that they keep it.</summary>
public sealed class EbpfAttachTests : IDisposable
{
    private const string Rule = "port=80,proxy-port=15001";
    private readonly NodeTopology _net = new();
    private EbpfRig _rig;

    public EbpfAttachTests() => _rig = new EbpfRig(_net.Node);

    public void Dispose()
    {
        _rig.Dispose();
        _net.Dispose();
    }

    [NetnsTheory]
    [InlineData(AttachMode.Tcx, NodeTopology.ServerV4, NodeTopology.ClientV4)]
    [InlineData(AttachMode.Tcx, NodeTopology.ServerV6, NodeTopology.ClientV6)]
    [InlineData(AttachMode.Clsact, NodeTopology.ServerV4, NodeTopology.ClientV4)]
    [InlineData(AttachMode.Clsact, NodeTopology.ServerV6, NodeTopology.ClientV6)]
    public void Steering_TakesTrafficAndGivesItBackWhenRemoved(AttachMode mode, string server, string client)
    {
        Use(mode);
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(server), 80);
        using var relay = new TestRelay(_net.Node, Loopback(server));

        _rig.Replace(Rule);
        Assert.Equal($"{client} ping", PeerEcho.Ask(_net.Client, server, 80));

        Assert.Single(relay.Seen);
        Assert.Equal("c0 s0", _rig.Devices);
        Assert.All(_rig.Steering!.Attached, device => Assert.Equal(mode, device.Mode));
        Assert.True(_rig.Logged("was no BPF file system; one was mounted there"));
        Assert.Equal(mode == AttachMode.Tcx ? 4 : 0, _rig.Links().Count);
        Assert.Equal(SteeringMaps.Names.Order(StringComparer.Ordinal), _rig.Maps);

        _rig.Remove();

        Assert.Equal($"{client} ping", PeerEcho.Ask(_net.Client, server, 80));
        Assert.Single(relay.Seen);
        Assert.False(System.IO.Directory.Exists(_rig.Pins));
        Assert.DoesNotContain("postern", _net.Node.Run("tc", "filter", "show", "dev", "c0", "ingress").Output, StringComparison.Ordinal);
        Assert.DoesNotContain("2004", _net.Node.Ip("rule"), StringComparison.Ordinal);
    }

    [NetnsTheory]
    [InlineData(AttachMode.Tcx)]
    [InlineData(AttachMode.Clsact)]
    public void DeviceRemovedAndAddedAgain_HasTheProgramAgain(AttachMode mode)
    {
        Use(mode);
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        using var relay = new TestRelay(_net.Node);
        _rig.Replace(Rule);

        _net.Node.Ip("link del c0");
        _rig.WaitForDevices("s0");
        Assert.True(mode == AttachMode.Clsact || _rig.Links().Count == 2);
        NetworkNamespace.Connect(_net.Client, "eth0", _net.Node, "c0");
        _net.Client.AddAddress("eth0", NodeTopology.ClientV4 + "/24");
        _net.Node.AddAddress("c0", NodeTopology.NodeV4 + "/24");
        _net.Client.AddRoute("default", NodeTopology.NodeV4);
        _rig.WaitForDevices("c0 s0");

        Assert.Equal($"{NodeTopology.ClientV4} ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 80));
        Assert.Single(relay.Seen);
    }

    [NetnsFact]
    public void PortsOfABridge_AreLeftToTheBridge()
    {
        _net.Node.Ip("link add d0 type veth peer name d1");
        _net.Node.Ip("link add br0 type bridge");
        _net.Node.Ip("link set d0 master br0");

        _rig.Replace(Rule);

        Assert.Equal("br0 c0 d1 s0", _rig.Devices);
        _net.Node.Ip("link set d1 master br0");
        _rig.WaitForDevices("br0 c0 s0");
        _net.Node.Ip("link set d0 nomaster");
        _rig.WaitForDevices("br0 c0 d0 s0");
    }

    [NetnsFact]
    public void RuleNamesInterfacesToCome_TakesWhatComesByThem()
    {
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        using var relay = new TestRelay(_net.Node);
        _rig.Replace("port=80,in=pod+,proxy-port=15001");
        Assert.Equal($"{NodeTopology.ClientV4} ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 80));
        Assert.Empty(relay.Seen);

        _net.Node.Ip("link set c0 down");
        _net.Node.Ip("link set c0 name pod7");
        _net.Node.Ip("link set pod7 up");
        _rig.WaitForDevices("pod7 s0");

        Assert.Equal($"{NodeTopology.ClientV4} ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 80));
        Assert.Single(relay.Seen);
    }

    [NetnsFact]
    public void ForeignFilterInOurPlace_IsLeftAndNamed()
    {
        Use(AttachMode.Clsact);
        using var stranger = new StrangerProgram();
        stranger.TakeClsact(_net.Node, _rig.IndexOf("s0"), DeviceHook.Ingress);

        _rig.Replace(Rule);

        Assert.Equal("c0", _rig.Devices);
        Assert.Contains(_rig.Log, line => line.Contains("device s0", StringComparison.Ordinal) && line.Contains("'stranger' (id ", StringComparison.Ordinal) && line.Contains("ClsactPriority", StringComparison.Ordinal));
        _rig.Remove();
        Assert.Contains("stranger", _net.Node.Run("tc", "filter", "show", "dev", "s0", "ingress").Output, StringComparison.Ordinal);
    }

    [NetnsFact]
    public void NoDeviceTakesTheProgram_NothingStays()
    {
        Use(AttachMode.Clsact);
        using var stranger = new StrangerProgram();
        stranger.TakeClsact(_net.Node, _rig.IndexOf("s0"), DeviceHook.Ingress);
        stranger.TakeClsact(_net.Node, _rig.IndexOf("c0"), DeviceHook.Ingress);

        var error = Assert.Throws<TproxyException>(() => _rig.Replace(Rule));

        Assert.Contains("no device takes the steering program", error.Message, StringComparison.Ordinal);
        Assert.False(System.IO.Directory.Exists(_rig.Pins));
        Assert.DoesNotContain("postern", _net.Node.Run("tc", "filter", "show", "dev", "s0", "egress").Output, StringComparison.Ordinal);
    }

    [NetnsFact]
    public void OtherProgramFirst_IsNamedAtTheNextStart()
    {
        using var stranger = new StrangerProgram();
        _rig.Replace(Rule);
        using var link = stranger.GoFirst(_net.Node, _rig.IndexOf("c0"));
        _rig.Crash();
        Assert.False(_rig.Logged("stranger"));

        _rig.Replace(Rule);

        Assert.Contains(_rig.Log, line => line.Contains("on c0 other programs come before ours", StringComparison.Ordinal) && line.Contains("'stranger' (id ", StringComparison.Ordinal));
        Assert.Equal("c0 s0", _rig.Devices);
    }

    [NetnsFact]
    public void OtherProgramComesFirstWhileWeRun_IsToldOnceByReplaceAndByAChangeOfDevices()
    {
        const string Comes = "on c0 other programs come before ours";
        const string Goes = "on c0 no other program comes before ours any more";
        using var stranger = new StrangerProgram();
        _rig.Replace(Rule);

        using (stranger.GoFirst(_net.Node, _rig.IndexOf("c0")))
        {
            _rig.Replace(Rule);
            _rig.Replace();
            Assert.Single(_rig.Log, line => line.Contains(Comes, StringComparison.Ordinal) && line.Contains("'stranger' (id ", StringComparison.Ordinal));
        }

        // A link goes some time after its last holder, and nobody tells of it: each change of devices looks.
        for (var i = 0; !_rig.Logged(Goes); i++)
        {
            Assert.True(i < 100, string.Join('\n', _rig.Log));
            _net.Node.Ip($"link add d{i} type bridge");
            _rig.WaitForDevices(string.Join(' ', Enumerable.Range(0, i + 1).Select(j => $"d{j}").Concat(["c0", "s0"]).Order(StringComparer.Ordinal)));
        }

        Assert.Single(_rig.Log, line => line.Contains(Comes, StringComparison.Ordinal));
        Assert.Single(_rig.Log, line => line.Contains(Goes, StringComparison.Ordinal));
    }

    [NetnsFact]
    public void ProgramTakenAwayBySomebody_IsPutBackByTheNextReplace()
    {
        Use(AttachMode.Clsact);
        _rig.Replace(Rule);
        _net.Node.Run("tc", "qdisc", "del", "dev", "c0", "clsact").OrThrow();

        _rig.Replace(Rule);

        Assert.True(_rig.Logged("program on c0 (index " + _rig.IndexOf("c0") + ", clsact) again"));
        Assert.Contains("postern_ingress", _net.Node.Run("tc", "filter", "show", "dev", "c0", "ingress").Output, StringComparison.Ordinal);
        Assert.Contains("postern_guard", _net.Node.Run("tc", "filter", "show", "dev", "c0", "egress").Output, StringComparison.Ordinal);
    }

    [NetnsFact]
    public void IPv6SwitchedOff_OnlyIPv4IsSteeredAndSaysSo()
    {
        _net.Node.Sysctl("net.ipv6.conf.all.disable_ipv6", "1");
        _net.Node.Sysctl("net.ipv6.conf.default.disable_ipv6", "1");
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        using var relay = new TestRelay(_net.Node);

        _rig.Replace(Rule);
        _rig.Replace(Rule);

        Assert.Equal($"{NodeTopology.ClientV4} ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 80));
        Assert.Single(relay.Seen);
        Assert.Single(_rig.Log, line => line.Contains("IPv6 is switched off", StringComparison.Ordinal));
        Assert.DoesNotContain("2004", _net.Node.Ip("-6 rule"), StringComparison.Ordinal);
    }

    private static IPAddress Loopback(string address) => address.Contains(':', StringComparison.Ordinal) ? IPAddress.IPv6Loopback : IPAddress.Loopback;

    private void Use(AttachMode mode)
    {
        _rig.Dispose();
        _rig = new EbpfRig(_net.Node, mode);
    }
}
