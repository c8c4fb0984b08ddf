using System;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Postern.Netns.Fixture;
using Postern.Tproxy;
using Postern.Tproxy.Steering;
using Postern.Tproxy.Udp;

namespace Postern.Tests.Netns.Steering;

/// <summary>ICMP errors about what the proxy sends with the client's address go to that address; they must reach the proxy's socket.</summary>
public sealed class ErrorTests : IDisposable
{
    private const int Sent = 100_000;
    private readonly NodeTopology _net = new();

    public void Dispose() => _net.Dispose();

    /// <summary>The server becomes a router to one behind a link of 1300 bytes, whose end announces 1500 all the same.</summary>
    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachWithReturnPaths), MemberType = typeof(SteeringModes))]
    public async Task SmallerMtuOnTheWayToTheServer_UploadArrives(SteeringMode mode, bool v6, ReturnPath path)
    {
        var server = IPAddress.Parse(v6 ? "fd71:3::2" : "10.71.3.2");
        using var far = Beyond();
        using var rig = new SteeringRig(_net.Node, mode);
        using var relay = new TestRelay(_net.Node, v6 ? IPAddress.IPv6Loopback : IPAddress.Loopback);
        using var sink = SinkAt(far, server);
        rig.Steer(SteeringOptions.Default with { ReturnPath = path }, "port=80,proxy-port=15001");

        using var client = _net.Client.Inside(() =>
        {
            var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { SendTimeout = 5000 };
            Assert.True(socket.ConnectAsync(server, 80).Wait(TimeSpan.FromSeconds(5)), "no connection");
            return socket;
        });
        var arrived = CountAsync(sink);
        client.Send(new byte[Sent]);
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal((Sent, v6 ? IPAddress.Parse(NodeTopology.ClientV6) : IPAddress.Parse(NodeTopology.ClientV4)), await arrived.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Single(relay.Seen);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.EachWithReturnPaths), MemberType = typeof(SteeringModes))]
    public void NobodyListensAtTheServer_UpstreamSocketOfTheClientsAddressIsTold(SteeringMode mode, bool v6, ReturnPath path)
    {
        using var rig = new SteeringRig(_net.Node, mode);
        rig.Steer(SteeringOptions.Default with { ReturnPath = path }, "port=53,proto=udp,proxy-port=15053");
        using var upstream = _net.Node.Inside(() => UpstreamUdpSocket.Create(
            new UdpUpstreamSpec(new IPEndPoint(IPAddress.Parse(v6 ? NodeTopology.ServerV6 : NodeTopology.ServerV4), 53))
            {
                Source = new IPEndPoint(IPAddress.Parse(v6 ? NodeTopology.ClientV6 : NodeTopology.ClientV4), 40_053),
                Mark = ProxyMark.For(ProxyDirection.Egress, 0x1234),
            }));

        upstream.Send("question"u8);

        var told = SocketError.WouldBlock;
        Wait.Until(() => upstream.Receive(new byte[16], SocketFlags.None, out told) == 0 && told != SocketError.WouldBlock, () => "no ICMP message came");
        Assert.Equal(SocketError.ConnectionRefused, told);
    }

    private NetworkNamespace Beyond()
    {
        var far = new NetworkNamespace("far");
        NetworkNamespace.Connect(_net.Server, "r0", far, "eth0");
        _net.Server.AddAddress("r0", "10.71.3.1/24");
        _net.Server.AddAddress("r0", "fd71:3::1/64");
        far.AddAddress("eth0", "10.71.3.2/24");
        far.AddAddress("eth0", "fd71:3::2/64");
        _net.Server.Sysctl("net.ipv4.ip_forward", "1");
        _net.Server.Sysctl("net.ipv6.conf.all.forwarding", "1");
        _net.Server.Ip("link set r0 mtu 1300");
        far.AddRoute("default", "10.71.3.1");
        far.AddRoute("default", "fd71:3::1");
        _net.Node.AddRoute("10.71.3.0/24", NodeTopology.ServerV4);
        _net.Node.AddRoute("fd71:3::/64", NodeTopology.ServerV6);
        // Else TCP finds the size by trying, after some time.
        _net.Node.Sysctl("net.ipv4.tcp_mtu_probing", "0");
        return far;
    }

    private static Socket SinkAt(NetworkNamespace where, IPAddress address) => where.Inside(() =>
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, 80));
        socket.Listen();
        return socket;
    });

    private static async Task<(int Bytes, IPAddress From)> CountAsync(Socket sink)
    {
        using var accepted = await sink.AcceptAsync();
        var buffer = new byte[16_384];
        int all = 0, count;
        while ((count = await accepted.ReceiveAsync(buffer)) > 0)
        {
            all += count;
        }

        return (all, ((IPEndPoint)accepted.RemoteEndPoint!).Address);
    }
}
