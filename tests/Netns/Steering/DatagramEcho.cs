using System;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Steering;

/// <summary>A UDP server that sends each datagram back with the address and port it came from in front, such as <c>10.71.1.2:4000 ping</c>.</summary>
internal sealed class DatagramEcho : IDisposable
{
    private readonly Socket _socket;
    private readonly Thread _thread;
    private volatile bool _stop;

    internal DatagramEcho(NetworkNamespace where, IPAddress address, int port)
    {
        _socket = where.Inside(() =>
        {
            var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(address, port));
            return socket;
        });
        _thread = new Thread(Serve) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Sends a word from a port of its own and returns the answer of exactly that server, or null after the patience.</summary>
    internal static string? Ask(Socket socket, string word, TimeSpan? patience = null)
    {
        socket.Send(Encoding.ASCII.GetBytes(word));
        if (!socket.Poll(patience ?? TimeSpan.FromSeconds(5), SelectMode.SelectRead))
        {
            return null;
        }

        var buffer = new byte[2048];
        return Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer));
    }

    /// <summary>Connected, so that it takes answers of that address and port only.</summary>
    internal static Socket Connected(NetworkNamespace from, IPAddress address, int port, int ownPort = 0) => from.Inside(() =>
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, ownPort));
        socket.Connect(address, port);
        return socket;
    });

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
        _socket.Dispose();
    }

    private void Serve()
    {
        var buffer = new byte[2048];
        EndPoint from = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!_stop)
        {
            try
            {
                if (_socket.Poll(TimeSpan.FromMilliseconds(20), SelectMode.SelectRead))
                {
                    var count = _socket.ReceiveFrom(buffer, ref from);
                    _socket.SendTo([.. Encoding.ASCII.GetBytes($"{from} "), .. buffer.AsSpan(0, count)], from);
                }
            }
            catch (SocketException)
            {
                // An ICMP error about an earlier answer.
            }
        }
    }
}
