using System;
using System.Net;
using Postern.Netns.Fixture;
using Postern.Tproxy.Steering;
using Xunit;

namespace Postern.Tests.Netns.Steering;

/// <summary>Devices that come and go under traffic. A pod behind c9 sends without a pause, before it has a device and after.</summary>
public sealed class DeviceChangeTests : IDisposable
{
    private const int Rounds = 4;
    private readonly NodeTopology _net = new();
    private readonly NetworkNamespace _pod = new("pod");

    public void Dispose()
    {
        _pod.Dispose();
        _net.Dispose();
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachV4AndV6), MemberType = typeof(SteeringModes))]
    public void DeviceThatRulesNameComesAndGoes_NothingGoesPastFromItsFirstPacket(SteeringMode mode, bool v6)
    {
        var server = Server(v6);
        using var rig = new SteeringRig(_net.Node, mode);
        rig.Steer(Rules(server, ",in=c9"));
        using var watch = new PacketWatch(_net.Server);
        using var relay = Relay(v6);
        using var datagrams = new DatagramRelay(_net.Node, v6, 80);
        using var hammer = new Hammer(_pod, server, 80);
        for (var i = 0; i < Rounds; i++)
        {
            var before = watch.FromNode.Count;
            Plug();
            Wait.Until(() => watch.FromNode.Count > before, () => "nothing of the pod's is steered:\n" + string.Join('\n', rig.Log));
            Assert.Empty(watch.Past);
            _net.Node.Ip("link del c9");
            hammer.More(5);
        }

        Assert.Empty(watch.Past);
    }

    /// <summary>Nobody gives the device a program or makes the rules anew for it: the guards alone hold.</summary>
    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachV4AndV6), MemberType = typeof(SteeringModes))]
    public void DeviceThatRulesNameComesWhileNobodyWatches_NothingGoesPast(SteeringMode mode, bool v6)
    {
        var server = Server(v6);
        using var rig = new SteeringRig(_net.Node, mode);
        rig.Steer(Rules(server, ",in=c9"));
        rig.Crash();
        using var watch = new PacketWatch(_net.Server);
        using var hammer = new Hammer(_pod, server, 80);

        Plug();
        // Once the gateway has been asked for, what follows is forwarded.
        Wait.Until(() => _pod.Run("ip", "neigh", "show", "dev", "eth0").Output.Contains("lladdr", StringComparison.Ordinal), () => _pod.Ip("neigh"));
        hammer.More(20);

        Assert.Empty(watch.Past);
        Assert.Empty(watch.FromNode);
        using var relay = Relay(v6);
        using var datagrams = new DatagramRelay(_net.Node, v6, 80);
        rig.Steer(Rules(server, ",in=c9"));
        Wait.Until(() => watch.FromNode.Count > 0, () => "nothing of the pod's is steered:\n" + string.Join('\n', rig.Log));
        Assert.Empty(watch.Past);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachV4AndV6), MemberType = typeof(SteeringModes))]
    public void DeviceVanishesUnderItsTraffic_AllOtherGoesOn(SteeringMode mode, bool v6)
    {
        var server = Server(v6);
        using var rig = new SteeringRig(_net.Node, mode);
        Plug();
        rig.Steer(Rules(server, string.Empty));
        using var watch = new PacketWatch(_net.Server);
        using var relay = Relay(v6);
        using var datagrams = new DatagramRelay(_net.Node, v6, 80);
        using var echo = new ManyEcho(_net.Server, server, 81);
        using var talk = new Talk(_net.Client, server, 81);
        using var hammer = new Hammer(_pod, server, 80);
        Wait.Until(() => watch.FromNode.Count > 0, () => "the relays send nothing on");

        _net.Node.Ip("link del c9");
        talk.Further(5);
        rig.Replace(Rules(server, string.Empty));
        talk.Further(5);

        Assert.Null(talk.Broken);
        Assert.Empty(watch.Past);
        if (mode == SteeringMode.Ebpf)
        {
            Wait.Until(
                () => string.Join('\n', rig.Log).Contains("eBPF program off c9", StringComparison.Ordinal),
                () => string.Join('\n', rig.Log));
        }
    }

    private static IPAddress Server(bool v6) => IPAddress.Parse(v6 ? NodeTopology.ServerV6 : NodeTopology.ServerV4);

    private static string[] Rules(IPAddress server, string more) =>
        [$"to={server},port=1-65535{more},proxy-port={TestRelay.Port}", $"to={server},port=1-65535{more},proto=udp,proxy-port={DatagramRelay.Port}"];

    private TestRelay Relay(bool v6) => new(_net.Node, v6 ? IPAddress.IPv6Loopback : IPAddress.Loopback);

    /// <summary>The node's end goes up last: all else is ready for the first packet.</summary>
    private void Plug()
    {
        _net.Node.Ip($"link add c9 type veth peer name eth0 netns {_pod.Name}");
        _net.Node.AddAddress("c9", "10.71.4.1/24");
        _net.Node.AddAddress("c9", "fd71:4::1/64");
        _pod.AddAddress("eth0", "10.71.4.2/24");
        _pod.AddAddress("eth0", "fd71:4::2/64");
        _pod.Ip("link set eth0 up");
        _pod.AddRoute("default", "10.71.4.1");
        _pod.AddRoute("default", "fd71:4::1");
        _net.Node.Ip("link set c9 up");
    }
}
