using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Postern.Netns.Fixture;
using Postern.Tproxy;

namespace Postern.Tests.Netns.Steering;

/// <summary>
/// The smallest transparent proxy for UDP to one server port. Upstream it appears with the client's address and port, downstream with the
/// server's. Of the original destination .NET tells the address (IP_PKTINFO); the port is given.
/// </summary>
internal sealed class DatagramRelay : IDisposable
{
    internal const ushort Port = 15053;

    private readonly int _serverPort;
    private readonly Socket _listener;
    private readonly Dictionary<(IPEndPoint Client, IPEndPoint Server), Socket> _upstream = [];
    private readonly Thread _thread;
    private volatile bool _stop;

    internal DatagramRelay(NetworkNamespace node, bool v6, int serverPort)
    {
        _serverPort = serverPort;
        _listener = node.Inside(() => Transparent(new IPEndPoint(v6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, Port)));
        _listener.SetSocketOption(v6 ? SocketOptionLevel.IPv6 : SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
        _thread = new Thread(() => node.Inside(Serve)) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Each datagram that the listener got.</summary>
    internal ConcurrentQueue<(IPEndPoint Client, IPEndPoint Original)> Seen { get; } = new();

    /// <summary>Each answer that an upstream socket got: to which client, of which server.</summary>
    internal ConcurrentQueue<(IPEndPoint Client, IPEndPoint Server)> Answered { get; } = new();

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
        _listener.Dispose();
        foreach (var socket in _upstream.Values)
        {
            socket.Dispose();
        }
    }

    private static Socket Transparent(IPEndPoint local)
    {
        var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        var on = BitConverter.GetBytes(1);
        socket.SetRawSocketOption(1, 2, on); // SOL_SOCKET, SO_REUSEADDR
        socket.SetRawSocketOption(local.AddressFamily == AddressFamily.InterNetwork ? 0 : 41, local.AddressFamily == AddressFamily.InterNetwork ? 19 : 75, on); // IP(V6)_TRANSPARENT
        socket.SetRawSocketOption(1, 36, BitConverter.GetBytes(ProxyMark.Listener(ProxyDirection.Egress))); // SO_MARK
        socket.Bind(local);
        return socket;
    }

    private void Serve()
    {
        var buffer = new byte[2048];
        while (!_stop)
        {
            if (_listener.Poll(TimeSpan.FromMilliseconds(1), SelectMode.SelectRead))
            {
                Forward(buffer);
            }

            foreach (var (pair, upstream) in _upstream)
            {
                Return(buffer, upstream, pair.Client, pair.Server);
            }
        }
    }

    private void Forward(byte[] buffer)
    {
        EndPoint from = new IPEndPoint(_listener.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        var flags = SocketFlags.None;
        try
        {
            var count = _listener.ReceiveMessageFrom(buffer, ref flags, ref from, out var packet);
            var pair = ((IPEndPoint)from, new IPEndPoint(packet.Address, _serverPort));
            Seen.Enqueue(pair);
            if (!_upstream.TryGetValue(pair, out var upstream))
            {
                upstream = Transparent(pair.Item1);
                upstream.Connect(pair.Item2);
                _upstream.Add(pair, upstream);
            }

            upstream.Send(buffer.AsSpan(0, count));
        }
        catch (SocketException)
        {
            // Nobody serves there.
        }
    }

    private void Return(byte[] buffer, Socket upstream, IPEndPoint client, IPEndPoint server)
    {
        try
        {
            while (upstream.Poll(TimeSpan.Zero, SelectMode.SelectRead))
            {
                var count = upstream.Receive(buffer);
                Answered.Enqueue((client, server));
                using var down = Transparent(server);
                down.SendTo(buffer.AsSpan(0, count), client);
            }
        }
        catch (SocketException)
        {
            // Nobody serves there.
        }
    }
}
