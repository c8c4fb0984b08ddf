using System;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Postern.Netns.Fixture;
using Postern.Tproxy;
using Postern.Tproxy.Udp;

namespace Postern.Tests.Netns.Udp;

/// <summary>Upstream sockets with the client's address and port, and what is said when something is not allowed.</summary>
public sealed class UpstreamTests : IDisposable
{
    private readonly UdpRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [NetnsTheory]
    [InlineData("v4", 40_053)]
    [InlineData("v6", 40_053)]
    [InlineData("v4", 0)]
    public async Task ClientsAddressAndPort_ServerSeesThemAndItsAnswersCome(string family, int port)
    {
        using var server = Serve(family);
        using var upstream = Ask(family, port);

        await upstream.SendAsync("question"u8.ToArray());
        var buffer = new byte[64];
        var question = await server.ReceiveFromAsync(buffer, server.LocalEndPoint!).WaitAsync(TimeSpan.FromSeconds(5));
        await server.SendToAsync("answer"u8.ToArray(), question.RemoteEndPoint);

        Assert.Equal("answer"u8.Length, await upstream.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(5)));
        var seen = (IPEndPoint)question.RemoteEndPoint;
        Assert.Equal(UdpRig.Client(family), seen.Address);
        Assert.Equal(upstream.LocalEndPoint, seen);
        Assert.True(port == 0 ? seen.Port > 0 : seen.Port == port);
    }

    [NetnsFact]
    public void TwoServersFromOneClientPort_EachSocketGetsItsOwnAnswers()
    {
        using var one = Serve("v4", 53);
        using var two = Serve("v4", 54);
        using var toOne = Ask("v4", 40_053, 53);
        using var toTwo = Ask("v4", 40_053, 54);
        var client = new IPEndPoint(UdpRig.Client("v4"), 40_053);

        two.SendTo("two"u8, client);
        one.SendTo("one"u8, client);

        var buffer = new byte[16];
        Wait.Until(() => toOne.Poll(0, SelectMode.SelectRead) && toTwo.Poll(0, SelectMode.SelectRead), () => "no answers");
        toOne.Receive(buffer);
        Assert.Equal((byte)'o', buffer[0]);
        toTwo.Receive(buffer);
        Assert.Equal((byte)'t', buffer[0]);
    }

    [NetnsFact]
    public void NobodyListens_TheNextCallSaysConnectionRefusedOnce()
    {
        using var upstream = _rig.Net.Node.Inside(() => UpstreamUdpSocket.Create(new UdpUpstreamSpec(new IPEndPoint(UdpRig.Server("v4"), 53))));
        upstream.Send("question"u8);

        var first = SocketError.WouldBlock;
        Wait.Until(() => upstream.Receive(new byte[16], SocketFlags.None, out first) == 0 && first != SocketError.WouldBlock, () => "no ICMP message came");
        upstream.Receive(new byte[16], SocketFlags.None, out var second);

        Assert.Equal((SocketError.ConnectionRefused, SocketError.WouldBlock), (first, second));
    }

    [NetnsFact]
    public void PortOfAnotherSocket_IsNamed()
    {
        using var taken = _rig.Net.Node.Inside(() => UdpListener.Bind(new UdpListenerSpec(new IPEndPoint(UdpRig.Client("v4"), 40_053)) { Transparent = true }));

        var error = Assert.Throws<TproxyException>(() => Ask("v4", 40_053));

        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketError);
        Assert.Contains("from 10.71.1.2:40053 to 10.71.2.2:53: another socket of this host", error.Message, StringComparison.Ordinal);
    }

    [NetnsFact]
    public void SecondListener_IsRefusedAndTheHolderNamed()
    {
        using var first = _rig.Listen("v4");

        var error = Assert.Throws<TproxyException>(() => _rig.Listen("v4"));

        Assert.Contains($"pid {Environment.ProcessId}, this process", error.Message, StringComparison.Ordinal);
    }

    [NetnsFact]
    public void NoRoute_IsNamed()
    {
        var error = Assert.Throws<TproxyException>(() => _rig.Net.Node.Inside(() => UpstreamUdpSocket.Create(new UdpUpstreamSpec(IPEndPoint.Parse("192.0.2.1:53")))));

        Assert.Contains("no route leads there", error.Message, StringComparison.Ordinal);
    }

    [NetnsFact]
    public void WithoutCapabilities_EachErrorNamesTheOneThatIsMissing()
    {
        var any = IPEndPoint.Parse("127.0.0.1:0");
        Unprivileged.Run(() =>
        {
            Says("CAP_NET_ADMIN", () => UdpListener.Bind(new UdpListenerSpec(any) { Transparent = true }));
            Says("CAP_NET_ADMIN", () => UdpListener.Bind(new UdpListenerSpec(any) { Mark = 0xB00 }));
            Says("CAP_NET_RAW", () => ReplySender.Open(new ReplySenderSpec(AddressFamily.InterNetwork)));
            Says("CAP_NET_RAW", () => ReplySender.Open(new ReplySenderSpec(AddressFamily.InterNetworkV6)));
            Says("CAP_NET_ADMIN", () => UpstreamUdpSocket.Create(new UdpUpstreamSpec(IPEndPoint.Parse("127.0.0.1:53")) { Source = IPEndPoint.Parse("10.1.1.1:53") }));
            // A plain listener needs nothing, and a buffer past the limit is cut rather than refused.
            UdpListener.Bind(new UdpListenerSpec(any) { ReceiveBufferBytes = 1 << 30 }).Dispose();
        });

        static void Says(string capability, Action action) => Assert.Contains(capability, Assert.Throws<TproxyException>(action).Message, StringComparison.Ordinal);
    }

    private Socket Serve(string family, int port = 53) => _rig.Net.Server.Inside(() =>
    {
        var socket = new Socket(UdpRig.Server(family).AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(UdpRig.Server(family), port));
        return socket;
    });

    private Socket Ask(string family, int sourcePort, int port = 53) => _rig.Net.Node.Inside(() => UpstreamUdpSocket.Create(
        new UdpUpstreamSpec(new IPEndPoint(UdpRig.Server(family), port))
        {
            Source = new IPEndPoint(UdpRig.Client(family), sourcePort),
            Mark = ProxyMark.For(ProxyDirection.Egress, 0x1234),
        }));
}
