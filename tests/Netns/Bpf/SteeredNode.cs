using System;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Postern.Netns.Fixture;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Native;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Bpf;

/// <summary>client — node — server with the program at the node's links and the ip rule that brings home what it marks.</summary>
internal sealed class SteeredNode : IDisposable
{
    internal const ushort ProxyPort = 15001;
    private readonly TcxLink[] links;

    internal SteeredNode()
    {
        Program = SteeringProgram.Load(null, new SteeringOptions(), _ => { });
        foreach (var family in new[] { "-4", "-6" })
        {
            Topology.Node.Ip($"{family} rule add fwmark 0x200/0xf00 lookup 2004");
            Topology.Node.Ip($"{family} route add local default dev lo table 2004");
        }

        links = Topology.Node.Inside(() => new[] { NodeTopology.ClientSide, NodeTopology.ServerSide }.Select(device => new TcxLink(Program.Ingress, device, TcxLink.Ingress)).ToArray());
    }

    internal NodeTopology Topology { get; } = new();

    internal SteeringProgram Program { get; }

    internal long Count(SteeringCounter counter) => SteeringCounters.Read(Program.Maps.Counters)[counter];

    internal string Counted() => string.Join(' ', SteeringCounters.Read(Program.Maps.Counters).Where(pair => pair.Value != 0).Select(pair => $"{pair.Key}={pair.Value}"));

    /// <summary>A transparent socket of the node's, TCP or UDP, bound; IPv4 and IPv6 by the address.</summary>
    internal Socket Bound(SocketType type, string address, ushort port, uint mark = 0) => Topology.Node.Inside(() =>
    {
        var socket = Make(type, address);
        SocketOption.Set(socket, SocketOption.SolSocket, SocketOption.SoReuseAddr, 1);
        SocketOption.SetTransparent(socket);
        SocketOption.Set(socket, SocketOption.SolSocket, SocketOption.SoMark, (int)mark);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
        return socket;
    });

    internal Socket Listener(string address)
    {
        var socket = Bound(SocketType.Stream, address, ProxyPort);
        socket.Listen();
        return socket;
    }

    internal static Socket Connect(NetworkNamespace from, string address, ushort port) => from.Inside(() =>
    {
        var socket = Make(SocketType.Stream, address);
        socket.Connect(IPAddress.Parse(address), port);
        return socket;
    });

    internal static Socket Serve(NetworkNamespace where, SocketType type, string address, ushort port) => where.Inside(() =>
    {
        var socket = Make(type, address);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
        if (type == SocketType.Stream)
        {
            socket.Listen();
        }

        return socket;
    });

    /// <summary>There and back.</summary>
    internal static void Exchange(Socket one, Socket other)
    {
        var buffer = new byte[16];
        Assert.Equal(5, one.Send("there"u8));
        Assert.Equal(5, other.Receive(buffer));
        Assert.Equal(4, other.Send("back"u8));
        Assert.Equal(4, one.Receive(buffer));
    }

    internal static Socket Accept(Socket listener)
    {
        var socket = listener.Accept();
        socket.ReceiveTimeout = socket.SendTimeout = 5000;
        return socket;
    }

    public void Dispose()
    {
        foreach (var link in links)
        {
            link.Dispose();
        }

        Program.Dispose();
        Topology.Dispose();
    }

    internal static Socket Make(SocketType type, string address)
    {
        var family = IPAddress.Parse(address).AddressFamily;
        return new Socket(family, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp) { ReceiveTimeout = 5000, SendTimeout = 5000 };
    }
}
