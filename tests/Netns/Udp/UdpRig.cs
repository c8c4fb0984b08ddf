using System;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Postern.Netns.Fixture;
using Postern.Tproxy;
using Postern.Tproxy.Udp;

namespace Postern.Tests.Netns.Udp;

/// <summary>client, node, server; the node takes the client's datagrams to port 53 to a listener on port 15053 of each family, by rules made by hand.</summary>
internal sealed class UdpRig : IDisposable
{
    internal const int ProxyPort = 15053;

    internal UdpRig()
    {
        foreach (var (iptables, family, loopback) in new[] { ("iptables", "-4", "127.0.0.1"), ("ip6tables", "-6", "::1") })
        {
            // Answers to upstream sockets that bear the client's address come back to those sockets.
            Net.Node.Run(iptables, $"-t mangle -A PREROUTING -i {NodeTopology.ServerSide} -p udp -m socket --transparent -j MARK --set-xmark 0x200/0xf00".Split(' ')).OrThrow();
            Net.Node.Run(iptables, $"-t mangle -A PREROUTING -i {NodeTopology.ClientSide} -p udp --dport 53 -j TPROXY --on-ip {loopback} --on-port {ProxyPort} --tproxy-mark 0x200/0xf00".Split(' ')).OrThrow();
            Net.Node.Ip($"{family} rule add priority 9 fwmark 0x200/0xf00 lookup 2004");
            Net.Node.Ip($"{family} route add local default dev lo table 2004");
        }
    }

    internal NodeTopology Net { get; } = new();

    internal ConcurrentQueue<string> Log { get; } = new();

    internal static IPAddress Loopback(string family) => family == "v6" ? IPAddress.IPv6Loopback : IPAddress.Loopback;

    internal static IPAddress Client(string family) => IPAddress.Parse(family == "v6" ? NodeTopology.ClientV6 : NodeTopology.ClientV4);

    internal static IPAddress Server(string family) => IPAddress.Parse(family == "v6" ? NodeTopology.ServerV6 : NodeTopology.ServerV4);

    internal Socket Listen(string family, int receiveBuffer = 0) => Net.Node.Inside(() => UdpListener.Bind(
        new UdpListenerSpec(new IPEndPoint(Loopback(family), ProxyPort)) { Transparent = true, Mark = ProxyMark.Listener(ProxyDirection.Egress), ReceiveBufferBytes = receiveBuffer }));

    internal ReplySender Sender(string family, int sendBuffer = 0) => Net.Node.Inside(() => ReplySender.Open(
        new ReplySenderSpec(Loopback(family).AddressFamily) { SendBufferBytes = sendBuffer }));

    internal UdpReceiver Receive(Socket socket, DatagramBatch batch, DatagramHandler handler)
    {
        var receiver = new UdpReceiver(socket, batch, handler, Log.Enqueue);
        receiver.Start();
        return receiver;
    }

    /// <summary>A receiver that sends every payload back at once.</summary>
    internal UdpReceiver Echo(string family, ReplySender sender) => Receive(Listen(family), new DatagramBatch(), (batch, count) =>
    {
        for (var i = 0; i < count; i++)
        {
            sender.Send(batch.OriginalDestination(i), batch.Source(i), batch.Payload(i));
        }
    });

    /// <summary>An ordinary client: a connected socket, which takes datagrams of the server's address and port only.</summary>
    internal Socket Ask(string family, int port = 53) => Net.Client.Inside(() =>
    {
        var socket = new Socket(Client(family).AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 5000, ReceiveBufferSize = 1 << 20 };
        socket.Connect(Server(family), port);
        return socket;
    });

    public void Dispose() => Net.Dispose();
}
