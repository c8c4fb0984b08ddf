using System;
using System.Net;
using Postern.Netns.Fixture;
using Postern.Tproxy;
using Postern.Tproxy.Steering;
using Xunit;

namespace Postern.Tests.Netns.Steering;

/// <summary>Both modes, both IP versions, TCP and UDP, both directions: what is steered keeps its addresses, and nothing goes past the proxy.</summary>
public sealed class MatrixTests(Stage stage) : IClassFixture<Stage>
{
    private const int ServerPort = 80;

    /// <summary>Rule of the client's egress, or of the server's ingress; a pod's server on the same node may have both.</summary>
    public static TheoryData<SteeringMode, SteeringProtocol, bool, Place, ProxyDirection> Cells
    {
        get
        {
            var cells = new TheoryData<SteeringMode, SteeringProtocol, bool, Place, ProxyDirection>();
            foreach (var mode in SteeringModes.Available)
            {
                foreach (var protocol in Enum.GetValues<SteeringProtocol>())
                {
                    foreach (var v6 in new[] { false, true })
                    {
                        cells.Add(mode, protocol, v6, Place.Pod, ProxyDirection.Egress);
                        cells.Add(mode, protocol, v6, Place.Elsewhere, ProxyDirection.Egress);
                        cells.Add(mode, protocol, v6, Place.Pod, ProxyDirection.Ingress);
                    }
                }
            }

            return cells;
        }
    }

    [NetnsTheory]
    [MemberData(nameof(Cells))]
    public void Steered_AddressesAreKeptAndNothingGoesPast(SteeringMode mode, SteeringProtocol protocol, bool v6, Place place, ProxyDirection direction)
    {
        var (where, server) = stage.Target(place, v6);
        using var rig = new SteeringRig(stage.Net.Node, mode);
        rig.Steer(Rule(protocol, v6, server, direction));
        using var atServer = new PacketWatch(where);
        using var atClient = new PacketWatch(stage.Net.Client);

        Converse(protocol, where, server);

        Assert.Empty(atServer.Past);
        Assert.Empty(atClient.Past);
        Assert.NotEmpty(atServer.FromNode);
    }

    [NetnsTheory]
    [MemberData(nameof(Cells))]
    public void NobodyListens_NothingArrives(SteeringMode mode, SteeringProtocol protocol, bool v6, Place place, ProxyDirection direction)
    {
        var (where, server) = stage.Target(place, v6);
        using var rig = new SteeringRig(stage.Net.Node, mode);
        using var watch = new PacketWatch(where);
        if (protocol == SteeringProtocol.Tcp)
        {
            using var echo = new PeerEcho(where, server, ServerPort);
            rig.Steer(Rule(protocol, v6, server, direction));
            Assert.Throws<TimeoutException>(() => PeerEcho.Ask(stage.Net.Client, server.ToString(), ServerPort, TimeSpan.FromSeconds(0.3)));
            Assert.Empty(watch.Past);
            // The watch is no blind one: without the rule it sees the same.
            rig.Steer();
            PeerEcho.Ask(stage.Net.Client, server.ToString(), ServerPort);
        }
        else
        {
            using var echo = new DatagramEcho(where, server, ServerPort);
            using var socket = DatagramEcho.Connected(stage.Net.Client, server, ServerPort);
            rig.Steer(Rule(protocol, v6, server, direction));
            for (var i = 0; i < 3; i++)
            {
                Assert.Null(DatagramEcho.Ask(socket, "ping", TimeSpan.FromSeconds(0.1)));
            }

            Assert.Empty(watch.Past);
            rig.Steer();
            Assert.NotNull(DatagramEcho.Ask(socket, "ping"));
        }

        Wait.Until(() => watch.Past.Count > 0, () => "the watch sees nothing");
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachV4AndV6), MemberType = typeof(SteeringModes))]
    public void BothEndsHaveRules_ProxyIsNotSteeredToItself(SteeringMode mode, bool v6)
    {
        var (where, server) = stage.Target(Place.Pod, v6);
        using var rig = new SteeringRig(stage.Net.Node, mode);
        string[] rules =
        [
            Rule(SteeringProtocol.Tcp, v6, server, ProxyDirection.Egress), Rule(SteeringProtocol.Tcp, v6, server, ProxyDirection.Ingress),
            Rule(SteeringProtocol.Udp, v6, server, ProxyDirection.Egress), Rule(SteeringProtocol.Udp, v6, server, ProxyDirection.Ingress),
            // And for what the server sends: its answers to the proxy's upstream sockets match these, too.
            $"from={server},port=1-65535,proxy-port={TestRelay.Port}", $"from={server},port=1-65535,proto=udp,proxy-port={DatagramRelay.Port}",
        ];
        rig.Steer(rules);

        Converse(SteeringProtocol.Tcp, where, server);
        Converse(SteeringProtocol.Udp, where, server);
    }

    [NetnsTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void ByConnectionMark_DatagramsTakeTheSameWay(bool v6)
    {
        var (where, server) = stage.Target(Place.Elsewhere, v6);
        using var rig = new SteeringRig(stage.Net.Node);
        rig.Steer(SteeringOptions.Default with { ReturnPath = ReturnPath.ConnectionMark }, Rule(SteeringProtocol.Udp, v6, server, ProxyDirection.Egress));

        Converse(SteeringProtocol.Udp, where, server);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachV4AndV6), MemberType = typeof(SteeringModes))]
    public void LastUdpRuleIsGone_AnswersUnderWayStillReachTheRelay(SteeringMode mode, bool v6)
    {
        var (where, server) = stage.Target(Place.Elsewhere, v6);
        using var rig = new SteeringRig(stage.Net.Node, mode);
        rig.Steer(Rule(SteeringProtocol.Udp, v6, server, ProxyDirection.Egress));
        using var relay = new DatagramRelay(stage.Net.Node, v6, ServerPort);
        using var socket = DatagramEcho.Connected(stage.Net.Client, server, ServerPort);
        using var late = where.Inside(() => new System.Net.Sockets.Socket(server.AddressFamily, System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Udp));
        late.Bind(new IPEndPoint(server, ServerPort));
        socket.Send("question"u8);
        var buffer = new byte[64];
        EndPoint asker = new IPEndPoint(v6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        late.ReceiveTimeout = 5000;
        late.ReceiveFrom(buffer, ref asker);

        rig.Steer();
        late.SendTo("answer"u8, asker);

        socket.ReceiveTimeout = 5000;
        Assert.Equal(6, socket.Receive(buffer));
        Assert.Single(relay.Answered);
    }

    /// <summary>Each word reaches the relay once, with both addresses; the server sees the client; the answer comes from whom the client asked.</summary>
    private void Converse(SteeringProtocol protocol, NetworkNamespace where, IPAddress server)
    {
        var v6 = server.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        var client = Stage.ClientAddress(v6);
        var original = new IPEndPoint(server, ServerPort);
        if (protocol == SteeringProtocol.Tcp)
        {
            using var echo = new PeerEcho(where, server, ServerPort);
            using var relay = new TestRelay(stage.Net.Node, v6 ? IPAddress.IPv6Loopback : IPAddress.Loopback);
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal($"{client} ping", PeerEcho.Ask(stage.Net.Client, server.ToString(), ServerPort));
            }

            Assert.Equal(3, relay.Seen.Count);
            Assert.All(relay.Seen, seen =>
            {
                Assert.Equal(original, seen.Original);
                Assert.Equal(client, ((IPEndPoint)seen.Client).Address);
            });
        }
        else
        {
            using var echo = new DatagramEcho(where, server, ServerPort);
            using var relay = new DatagramRelay(stage.Net.Node, v6, ServerPort);
            using var socket = DatagramEcho.Connected(stage.Net.Client, server, ServerPort);
            var own = new IPEndPoint(client, ((IPEndPoint)socket.LocalEndPoint!).Port);
            for (var i = 0; i < 3; i++)
            {
                // The second and third meet the upstream socket of the first, which is bound to their very source.
                Assert.Equal($"{own} word{i}", DatagramEcho.Ask(socket, $"word{i}"));
            }

            Assert.Equal([(own, original), (own, original), (own, original)], relay.Seen);
            Assert.Equal([(own, original), (own, original), (own, original)], relay.Answered);
        }
    }

    private static string Rule(SteeringProtocol protocol, bool v6, IPAddress server, ProxyDirection direction)
    {
        var which = direction == ProxyDirection.Egress ? $"from={Stage.ClientAddress(v6)}" : $"to={server}";
        return protocol == SteeringProtocol.Tcp ? $"{which},port=1-65535,proxy-port={TestRelay.Port}" : $"{which},port=1-65535,proto=udp,proxy-port={DatagramRelay.Port}";
    }
}
