using System;
using System.Net;
using System.Net.Sockets;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Steering;
using Postern.Tproxy;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns;

public sealed class SteeredTrafficTests : IDisposable
{
    private readonly NodeTopology _net = new();
    private readonly SteeringRig _rig;

    public SteeredTrafficTests() => _rig = new SteeringRig(_net.Node);

    public void Dispose()
    {
        _rig.Dispose();
        _net.Dispose();
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachWithReturnPaths), MemberType = typeof(SteeringModes))]
    public void SteeredConnection_KeepsBothAddresses(SteeringMode mode, bool v6, ReturnPath path)
    {
        var (server, client) = Ends(v6);
        using var rig = new SteeringRig(_net.Node, mode);
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(server), 80);
        using var relay = new TestRelay(_net.Node, Loopback(server));
        rig.Steer(SteeringOptions.Default with { ReturnPath = path }, "port=80,proxy-port=15001");

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal($"{client} ping", PeerEcho.Ask(_net.Client, server, 80));
        }

        Assert.Equal(3, relay.Seen.Count);
        Assert.All(relay.Seen, seen =>
        {
            Assert.Equal(new IPEndPoint(IPAddress.Parse(server), 80), seen.Original);
            Assert.Equal(IPAddress.Parse(client), ((IPEndPoint)seen.Client).Address);
        });
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachV4AndV6), MemberType = typeof(SteeringModes))]
    public void SteeringRemoved_TrafficFlowsDirectly(SteeringMode mode, bool v6)
    {
        var (server, client) = Ends(v6);
        using var rig = new SteeringRig(_net.Node, mode);
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(server), 80);
        using var relay = new TestRelay(_net.Node, Loopback(server));
        rig.Steer("port=80,proxy-port=15001");
        Assert.Equal($"{client} ping", PeerEcho.Ask(_net.Client, server, 80));
        Assert.Single(relay.Seen);

        rig.Remove();

        Assert.Equal($"{client} ping", PeerEcho.Ask(_net.Client, server, 80));
        Assert.Single(relay.Seen);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachV4AndV6), MemberType = typeof(SteeringModes))]
    public void NobodyListens_TrafficIsDroppedAndNotPassed(SteeringMode mode, bool v6)
    {
        var (server, _) = Ends(v6);
        using var rig = new SteeringRig(_net.Node, mode);
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(server), 80);
        rig.Steer("port=80,proxy-port=15001");

        Assert.Throws<TimeoutException>(() => PeerEcho.Ask(_net.Client, server, 80, TimeSpan.FromSeconds(1.5)));
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachWithReturnPaths), MemberType = typeof(SteeringModes))]
    public void AnswersOfAnEndpointWhoseOwnConnectionsAreSteered_PassUnsteered(SteeringMode mode, bool v6, ReturnPath path)
    {
        var (server, client) = Ends(v6);
        using var rig = new SteeringRig(_net.Node, mode);
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(server), 80);
        using var back = new PeerEcho(_net.Client, IPAddress.Parse(client), 80);
        using var relay = new TestRelay(_net.Node, Loopback(server));
        rig.Steer(SteeringOptions.Default with { ReturnPath = path }, $"from={server},port=1-65535,proxy-port=15001");

        Assert.Equal($"{client} ping", PeerEcho.Ask(_net.Client, server, 80));
        Assert.Empty(relay.Seen);
        // The node itself is a client too.
        Assert.EndsWith(" ping", PeerEcho.Ask(_net.Node, server, 80), StringComparison.Ordinal);
        Assert.Empty(relay.Seen);
        Assert.Equal($"{server} ping", PeerEcho.Ask(_net.Server, client, 80));
        Assert.Single(relay.Seen);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void ConnectionOlderThanTheRules_DoesNotPassForAnAnswer(SteeringMode mode)
    {
        using var rig = new SteeringRig(_net.Node, mode);
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        using var old = _net.Client.Inside(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 1500 };
            socket.Connect(NodeTopology.ServerV4, 80);
            return socket;
        });
        var buffer = new byte[64];
        Assert.Equal(NodeTopology.ClientV4.Length + 1, old.Receive(buffer));

        rig.Steer("to=10.71.2.2,port=1-65535,proxy-port=15001", "from=10.71.2.2,port=1-65535,proxy-port=15001");

        old.Send("ping"u8);
        Assert.Throws<SocketException>(() => old.Receive(buffer));
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void OtherPortsAndOtherSources_AreNotSteered(SteeringMode mode)
    {
        using var rig = new SteeringRig(_net.Node, mode);
        using var http = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        using var other = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 91);
        using var relay = new TestRelay(_net.Node);
        rig.Steer(
            "to=10.71.2.2/32,port=81-90,in=c0,proxy-port=15001",
            "to=10.71.2.2/32,port=80,from=10.99.0.0/16,proxy-port=15001",
            "to=10.71.2.2/32,port=80,in=s0,proxy-port=15001");

        Assert.Equal("10.71.1.2 ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 80));
        Assert.Equal("10.71.1.2 ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 91));
        Assert.Empty(relay.Seen);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void RangeSourceAndInterface_AreAllMatched(SteeringMode mode)
    {
        using var rig = new SteeringRig(_net.Node, mode);
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 90);
        using var relay = new TestRelay(_net.Node);
        rig.Steer("to=10.71.2.0/24,port=80-90,from=10.71.1.2/32,in=c+,proxy-port=15001");

        Assert.Equal("10.71.1.2 ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 90));
        Assert.Single(relay.Seen);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void NoSourceWanted_ServerSeesTheNode(SteeringMode mode)
    {
        using var rig = new SteeringRig(_net.Node, mode);
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        using var relay = new TestRelay(_net.Node) { KeepSource = false };
        rig.Steer("port=80,proxy-port=15001");

        Assert.Equal("10.71.2.1 ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 80));
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void ServerOnTheNode_ProxyIsNotSteeredToItself(SteeringMode mode)
    {
        using var rig = new SteeringRig(_net.Node, mode);
        using var echo = new PeerEcho(_net.Node, IPAddress.Parse("10.71.2.1"), 80);
        using var relay = new TestRelay(_net.Node) { KeepSource = false };
        rig.Steer("port=80,proxy-port=15001");

        Assert.Equal("10.71.2.1 ping", PeerEcho.Ask(_net.Client, "10.71.2.1", 80));

        Assert.Single(relay.Seen);
    }

    [NetnsTheory]
    [InlineData("10.71.2.1", NodeTopology.ClientV4)]
    [InlineData("fd71:2::1", NodeTopology.ClientV6)]
    public void ServerOnTheNode_SourceIsKeptByConnectionMark(string server, string client)
    {
        using var echo = new PeerEcho(_net.Node, IPAddress.Parse(server), 80);
        using var relay = new TestRelay(_net.Node, Loopback(server));
        _rig.Install(SteeringOptions.Default with { ReturnPath = ReturnPath.ConnectionMark }, "port=80,proxy-port=15001");

        Assert.Equal($"{client} ping", PeerEcho.Ask(_net.Client, server, 80));

        Assert.Single(relay.Seen);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void DirectConnectionToTheListener_IsRefused(SteeringMode mode)
    {
        using var rig = new SteeringRig(_net.Node, mode);
        using var relay = new TestRelay(_net.Node, IPAddress.Any);
        rig.Steer("to=10.71.2.0/24,port=80,proxy-port=15001");

        var failure = Record.Exception(() => Assert.Equal(string.Empty, PeerEcho.Ask(_net.Client, NodeTopology.NodeV4, TestRelay.Port)));

        // The relay resets before or after the word is sent; either way nothing comes back.
        Assert.True(failure is null or SocketException or AggregateException { InnerException: SocketException }, failure?.ToString());
        Assert.Equal(LoopVerdict.AddressedListener, Assert.Single(relay.Seen).Verdict);
    }

    [NetnsFact]
    public void Redirected_OriginalDestinationComesFromConntrack()
    {
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        using var relay = new TestRelay(_net.Node, IPAddress.Any) { KeepSource = false };
        _net.Node.Run("iptables", "-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport", "80", "-j", "REDIRECT", "--to-ports", "15001").OrThrow();

        Assert.Equal("10.71.2.1 ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, 80));

        Assert.Equal(IPEndPoint.Parse("10.71.2.2:80"), Assert.Single(relay.Seen).Original);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachV4AndV6), MemberType = typeof(SteeringModes))]
    public void SynMeetsTimeWait_IsGivenToTheListener(SteeringMode mode, bool v6)
    {
        var (server, client) = Ends(v6);
        using var rig = new SteeringRig(_net.Node, mode);
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(server), 80);
        using var relay = new TestRelay(_net.Node, Loopback(server));
        rig.Steer("port=80,proxy-port=15001");

        for (var i = 0; i < 3; i++)
        {
            _net.Client.Inside(() => FromPort40000(IPAddress.Parse(server), IPAddress.Parse(client)));
            Wait.Until(() => TimeWaits().Contains(":40000", StringComparison.Ordinal), () => "no TIME_WAIT on the node: " + TimeWaits());
        }

        Assert.Equal(3, relay.Seen.Count);
    }

    [NetnsFact]
    public void RedirectedV6_OriginalDestinationComesFromConntrack()
    {
        using var echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV6), 80);
        using var relay = new TestRelay(_net.Node, IPAddress.IPv6Any) { KeepSource = false };
        _net.Node.Run("ip6tables", "-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport", "80", "-j", "REDIRECT", "--to-ports", "15001").OrThrow();

        Assert.Equal("fd71:2::1 ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV6, 80));

        Assert.Equal(IPEndPoint.Parse("[fd71:2::2]:80"), Assert.Single(relay.Seen).Original);
    }

    private static (string Server, string Client) Ends(bool v6) => v6 ? (NodeTopology.ServerV6, NodeTopology.ClientV6) : (NodeTopology.ServerV4, NodeTopology.ClientV4);

    private string TimeWaits() => _net.Node.Run("ss", "-Htan", "state", "time-wait").OrThrow();

    /// <summary>The server closes first, so that the relay's accepted socket stays in TIME_WAIT and this end is free again.</summary>
    private static void FromPort40000(IPAddress server, IPAddress client)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 5000 };
        socket.Bind(new IPEndPoint(client, 40000));
        Assert.True(socket.ConnectAsync(new IPEndPoint(server, 80)).Wait(TimeSpan.FromSeconds(5)), "no answer to the SYN");
        Assert.Equal(0, TotalRetransmissions(socket)); // a SYN answered by TIME_WAIT itself succeeds only when sent again
        socket.Send("q"u8);
        var buffer = new byte[64];
        while (socket.Receive(buffer) > 0)
        {
        }
    }

    private static int TotalRetransmissions(Socket socket)
    {
        var info = new byte[104]; // struct tcp_info up to tcpi_total_retrans
        socket.GetRawSocketOption(6, 11, info);
        return BitConverter.ToInt32(info, 100);
    }

    private static IPAddress Loopback(string sample) =>
        sample.Contains(':', StringComparison.Ordinal) ? IPAddress.IPv6Loopback : IPAddress.Loopback;
}
