using System;
using System.Net;
using System.Net.Sockets;
using Postern.Netns.Fixture;
using Postern.Tproxy.Bpf;

namespace Postern.Tests.Netns.Bpf;

/// <summary>Real traffic through a node with the program: what a trial run cannot show, since sockets are given packets at a device's ingress only.</summary>
public sealed class TrafficTests
{
    private const ushort Port = 80;
    private const uint Upstream = 0x0b00;

    [NetnsTheory]
    [InlineData("127.0.0.1", NodeTopology.ClientV4, NodeTopology.ServerV4)]
    [InlineData("::1", NodeTopology.ClientV6, NodeTopology.ServerV6)]
    [InlineData("0.0.0.0", NodeTopology.ClientV4, NodeTopology.ServerV4)]
    public void Connection_GoesToTheListenerAndDrainsWhenTheRuleIsGone(string listen, string client, string server)
    {
        using var node = new SteeredNode();
        HandWrittenSet.To(server, Port, SteeredNode.ProxyPort).Write(node.Program.Maps);
        using var listener = node.Listener(listen);
        using var from = SteeredNode.Connect(node.Topology.Client, server, Port);
        using var accepted = SteeredNode.Accept(listener);

        Assert.Equal(new IPEndPoint(IPAddress.Parse(server), Port), accepted.LocalEndPoint);
        Assert.Equal(IPAddress.Parse(client), ((IPEndPoint)accepted.RemoteEndPoint!).Address);
        SteeredNode.Exchange(from, accepted);
        Assert.Equal(1, node.Count(SteeringCounter.SteeredNew));
        Assert.True(node.Count(SteeringCounter.SteeredEstablished) >= 2, node.Counted());

        HandWrittenSet.To(server, Port, SteeredNode.ProxyPort, SteeringLayout.RuleDraining).Write(node.Program.Maps, generation: 1);
        SteeredNode.Exchange(from, accepted);
        Assert.True(node.Count(SteeringCounter.Drained) >= 1, node.Counted());
    }

    [NetnsTheory]
    [InlineData(NodeTopology.ClientV4, NodeTopology.ServerV4)]
    [InlineData(NodeTopology.ClientV6, NodeTopology.ServerV6)]
    public void AnswerToAnUpstreamConnection_ComesBackToTheProxy(string client, string server)
    {
        using var node = new SteeredNode();
        HandWrittenSet.To(server, Port, SteeredNode.ProxyPort).Write(node.Program.Maps);
        using var origin = SteeredNode.Serve(node.Topology.Server, SocketType.Stream, server, Port);
        using var upstream = node.Bound(SocketType.Stream, client, 0, Upstream);

        upstream.Connect(IPAddress.Parse(server), Port);
        using var accepted = SteeredNode.Accept(origin);

        Assert.Equal(IPAddress.Parse(client), ((IPEndPoint)accepted.RemoteEndPoint!).Address);
        SteeredNode.Exchange(upstream, accepted);
        Assert.True(node.Count(SteeringCounter.Returned) >= 2, node.Counted());
    }

    [NetnsTheory]
    [InlineData("127.0.0.1", NodeTopology.ClientV4, NodeTopology.ServerV4)]
    [InlineData("::1", NodeTopology.ClientV6, NodeTopology.ServerV6)]
    public void Datagram_GoesToTheListenerAndItsAnswerToTheUpstreamSocket(string listen, string client, string server)
    {
        using var node = new SteeredNode();
        HandWrittenSet.To(server, Port, SteeredNode.ProxyPort).Write(node.Program.Maps);
        using var listener = node.Bound(SocketType.Dgram, listen, SteeredNode.ProxyPort);
        using var from = node.Topology.Client.Inside(() => SteeredNode.Make(SocketType.Dgram, client));
        from.SendTo("there"u8, new IPEndPoint(IPAddress.Parse(server), Port));
        Assert.Equal(5, listener.Receive(new byte[16]));
        Assert.Equal(1, node.Count(SteeringCounter.SteeredDatagram));

        using var origin = SteeredNode.Serve(node.Topology.Server, SocketType.Dgram, server, Port);
        using var upstream = node.Bound(SocketType.Dgram, client, 5000, Upstream);
        upstream.SendTo("there"u8, new IPEndPoint(IPAddress.Parse(server), Port));
        EndPoint seen = new IPEndPoint(IPAddress.IPv6Any.AddressFamily == from.AddressFamily ? IPAddress.IPv6Any : IPAddress.Any, 0);
        Assert.Equal(5, origin.ReceiveFrom(new byte[16], ref seen));
        Assert.Equal(new IPEndPoint(IPAddress.Parse(client), 5000), seen);
        origin.SendTo("back"u8, seen);
        Assert.Equal(4, upstream.Receive(new byte[16]));
        Assert.Equal(1, node.Count(SteeringCounter.Returned));
    }

    [NetnsTheory]
    [InlineData(0, SteeringCounter.OlderCut)]
    [InlineData(SteeringLayout.StateKeepOlder, SteeringCounter.OlderPassed)]
    public void ConnectionOlderThanTheRules_IsResetOrKept(uint flags, SteeringCounter counter)
    {
        using var node = new SteeredNode();
        using var listener = node.Listener("127.0.0.1");
        using var origin = SteeredNode.Serve(node.Topology.Server, SocketType.Stream, NodeTopology.ServerV4, Port);
        using var from = SteeredNode.Connect(node.Topology.Client, NodeTopology.ServerV4, Port);
        using var accepted = SteeredNode.Accept(origin);
        SteeredNode.Exchange(from, accepted);

        HandWrittenSet.To(NodeTopology.ServerV4, Port, SteeredNode.ProxyPort).Write(node.Program.Maps, flags, generation: 1);

        if (counter == SteeringCounter.OlderPassed)
        {
            SteeredNode.Exchange(from, accepted);
        }
        else
        {
            from.Send("there"u8);
            var error = Assert.Throws<SocketException>(() => from.Receive(new byte[16]));
            Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        }

        Assert.True(node.Count(counter) >= 1, node.Counted());
    }

    [NetnsFact]
    public void ConnectionThatTheServerBegins_FromASteeredPort_GoesPast()
    {
        using var node = new SteeredNode();
        HandWrittenSet.To(NodeTopology.ServerV4, Port, SteeredNode.ProxyPort).Write(node.Program.Maps);
        using var listener = node.Listener("127.0.0.1");
        using var origin = SteeredNode.Serve(node.Topology.Client, SocketType.Stream, NodeTopology.ClientV4, 9000);
        using var from = node.Topology.Server.Inside(() => SteeredNode.Make(SocketType.Stream, NodeTopology.ServerV4));
        from.Bind(new IPEndPoint(IPAddress.Parse(NodeTopology.ServerV4), Port));

        from.Connect(IPAddress.Parse(NodeTopology.ClientV4), 9000);
        using var accepted = SteeredNode.Accept(origin);
        SteeredNode.Exchange(from, accepted);

        Assert.True(node.Count(SteeringCounter.AnswerPassed) >= 2, node.Counted());
        Assert.Equal(0, node.Count(SteeringCounter.SteeredNew));
    }

    // Between the two ends of a veth nobody makes checksums, unless told to.
    [NetnsTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void NextConnectionOfTheSameTwoEnds_GoesToTheListenerThroughTimeWait(bool checksums)
    {
        using var node = new SteeredNode();
        if (checksums)
        {
            node.Topology.Client.Run("iptables", "-t", "mangle", "-A", "POSTROUTING", "-p", "tcp", "-j", "CHECKSUM", "--checksum-fill").OrThrow();
        }

        HandWrittenSet.To(NodeTopology.ServerV4, Port, SteeredNode.ProxyPort).Write(node.Program.Maps);
        using var listener = node.Listener("127.0.0.1");
        for (var round = 0; round < 2; round++)
        {
            using var from = FromPort7000(node);
            from.Connect(IPAddress.Parse(NodeTopology.ServerV4), Port);
            using var accepted = SteeredNode.Accept(listener);
            SteeredNode.Exchange(from, accepted);

            // Who closes first has the TIME_WAIT: the proxy.
            accepted.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, from.Receive(new byte[1]));
        }

        Assert.Equal(2, node.Count(SteeringCounter.SteeredNew));
        Assert.Equal(1, node.Count(SteeringCounter.TimeWaitEnded));
        Assert.Equal(0, node.Count(SteeringCounter.OlderCut));
    }

    [NetnsFact]
    public void TimeWaitThatNoResetEnds_SynGoesRoundOnce()
    {
        using var node = new SteeredNode();
        node.Topology.Node.Sysctl("net.ipv4.tcp_rfc1337", "1");
        HandWrittenSet.To(NodeTopology.ServerV4, Port, SteeredNode.ProxyPort).Write(node.Program.Maps);
        using var listener = node.Listener("127.0.0.1");
        using (var first = FromPort7000(node))
        {
            first.Connect(IPAddress.Parse(NodeTopology.ServerV4), Port);
            using var accepted = SteeredNode.Accept(listener);
            accepted.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, first.Receive(new byte[1]));
        }

        Wait.Until(() => node.Topology.Node.Run("ss", "-Htan", "state", "time-wait").Output.Contains(":7000", StringComparison.Ordinal), () => "no TIME_WAIT");
        var before = node.Count(SteeringCounter.SteeredEstablished);

        using var second = FromPort7000(node);
        var attempt = second.ConnectAsync(IPAddress.Parse(NodeTopology.ServerV4), Port);

        // The reset and the SYN behind it, the client's reset of the answer, and the SYN sent again.
        Wait.Until(() => node.Count(SteeringCounter.SteeredEstablished) >= before + 4, node.Counted);
        Assert.Equal(1, node.Count(SteeringCounter.TimeWaitEnded));
        Assert.False(attempt.IsCompletedSuccessfully);
    }

    private static Socket FromPort7000(SteeredNode node)
    {
        var socket = node.Topology.Client.Inside(() => SteeredNode.Make(SocketType.Stream, NodeTopology.ClientV4));
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(new IPEndPoint(IPAddress.Parse(NodeTopology.ClientV4), 7000));
        return socket;
    }

    [NetnsFact]
    public void LinkWithoutTheProgram_IsStoppedAtTheWayOut()
    {
        using var topology = new NodeTopology();
        using var program = SteeringProgram.Load(null, new(), _ => { });
        HandWrittenSet.To(NodeTopology.ServerV4, Port, SteeredNode.ProxyPort).Write(program.Maps);
        using var guard = topology.Node.Inside(() => new TcxLink(program.Guard, NodeTopology.ServerSide, TcxLink.Egress));
        using var from = topology.Client.Inside(() => SteeredNode.Make(SocketType.Dgram, NodeTopology.ClientV4));
        using var origin = SteeredNode.Serve(topology.Server, SocketType.Dgram, NodeTopology.ServerV4, Port);

        from.SendTo("there"u8, new IPEndPoint(IPAddress.Parse(NodeTopology.ServerV4), Port));
        Wait.Until(() => SteeringCounters.Read(program.Maps.Counters)[SteeringCounter.UnguardedDropped] == 1, () => "nothing was dropped");
        Assert.Equal(0, origin.Available);

        var index = topology.Node.Inside(() => TcxLink.IndexOf(NodeTopology.ClientSide));
        program.Maps.Devices.Update(HandWrittenSet.Number(index), HandWrittenSet.Number(1));
        from.SendTo("again"u8, new IPEndPoint(IPAddress.Parse(NodeTopology.ServerV4), Port));
        Assert.Equal(5, origin.Receive(new byte[16]));
    }
}
