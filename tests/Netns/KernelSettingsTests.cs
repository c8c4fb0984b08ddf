using System;
using System.Net;
using System.Net.Sockets;
using Postern.Netns.Fixture;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns;

/// <summary>Sysctls that decide whether steered packets live.</summary>
public sealed class KernelSettingsTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1.5);
    private readonly NodeTopology _net = new();
    private readonly SteeringRig _rig;

    public KernelSettingsTests() => _rig = new SteeringRig(_net.Node);

    public void Dispose()
    {
        _rig.Dispose();
        _net.Dispose();
    }

    [NetnsFact]
    public void SourceValidMark_DropsSteeredPacketsAndIsReported()
    {
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        using var relay = new TestRelay(_net.Node);
        _net.Node.Sysctl("net.ipv4.conf.all.src_valid_mark", "1");

        _rig.Install("port=80,proxy-port=15001");

        Assert.Contains(_rig.Log, line => line.Contains("net.ipv4.conf.all.src_valid_mark is 1", StringComparison.Ordinal));
        Assert.Throws<TimeoutException>(() => PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 80, Soon));
    }

    [NetnsFact]
    public void SourceValidMark_IsMendedOnRequest()
    {
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        using var relay = new TestRelay(_net.Node);
        _net.Node.Sysctl("net.ipv4.conf.all.src_valid_mark", "1");

        _rig.Install(SteeringOptions.Default with { MendSysctls = true }, "port=80,proxy-port=15001");

        Assert.Contains(_rig.Log, line => line.Contains("src_valid_mark changed from 1 to 0", StringComparison.Ordinal));
        Assert.Equal("10.71.1.2 ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 80));
    }

    [NetnsFact]
    public void StrictReversePathFilter_LetsSteeredTrafficThrough()
    {
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        using var relay = new TestRelay(_net.Node);
        _net.Node.Sysctl("net.ipv4.conf.all.rp_filter", "1");

        _rig.Install("port=80,proxy-port=15001");

        Assert.Equal("10.71.1.2 ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 80));
    }

    [NetnsFact]
    public void ForwardingOff_SteeredTrafficStillFlows()
    {
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        using var echoV6 = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV6), 80);
        using var relay = new TestRelay(_net.Node);
        using var relayV6 = new TestRelay(_net.Node, IPAddress.IPv6Loopback);
        _net.Node.Sysctl("net.ipv4.ip_forward", "0");
        _net.Node.Sysctl("net.ipv6.conf.all.forwarding", "0");

        _rig.Install("port=80,proxy-port=15001");

        Assert.Equal("10.71.1.2 ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 80));
        Assert.Equal("fd71:1::2 ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV6, 80));
    }

    [NetnsTheory]
    [InlineData("0")]
    [InlineData("1")]
    public void ConnectionOlderThanTheSteering_IsCutOff(string reflect)
    {
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        using var relay = new TestRelay(_net.Node);
        _net.Node.Sysctl("net.ipv4.fwmark_reflect", reflect);
        using var client = _net.Client.Inside(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        client.Connect(IPEndPoint.Parse(NodeTopology.ServerV4 + ":80"));
        client.ReceiveTimeout = 1500;
        var buffer = new byte[64];
        Assert.True(client.Receive(buffer) > 0);

        _rig.Install("port=80,proxy-port=15001");
        client.Send("late"u8);

        // Reset at once; with fwmark_reflect the reset goes to lo and the client waits in vain. In neither case do bytes pass.
        var error = Assert.Throws<SocketException>(() => client.Receive(buffer));
        Assert.Equal(reflect == "0" ? SocketError.ConnectionReset : SocketError.TimedOut, Timeout(error.SocketErrorCode));
        Assert.Equal(reflect == "1", _rig.Log.TryPeek(out var line) && line.Contains("fwmark_reflect", StringComparison.Ordinal));
        Assert.Empty(relay.Seen);
    }

    private static SocketError Timeout(SocketError error) => error == SocketError.WouldBlock ? SocketError.TimedOut : error;
}
