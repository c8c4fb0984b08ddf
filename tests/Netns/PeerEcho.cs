using System;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using Postern.Netns.Fixture;
using Postern.Tproxy;

namespace Postern.Tests.Netns;

/// <summary>A server that tells each client which address it sees, then sends back what it got until the client half-closes or sends a <c>q</c>.</summary>
internal sealed class PeerEcho : IDisposable
{
    private readonly Socket _listener;
    private readonly Thread _thread;

    internal PeerEcho(NetworkNamespace where, IPAddress address, int port)
    {
        _listener = where.Inside(() => TransparentListener.Listen(new ListenerSpec(new IPEndPoint(address, port))));
        _thread = new Thread(Serve) { IsBackground = true };
        _thread.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _thread.Join(TimeSpan.FromSeconds(5));
    }

    /// <summary>Connects from a namespace, sends a word, half-closes and returns all that comes back, such as <c>10.71.1.2 ping</c>.</summary>
    internal static string Ask(NetworkNamespace from, string address, int port, TimeSpan? patience = null) => from.Inside(() =>
    {
        var target = new IPEndPoint(IPAddress.Parse(address), port);
        using var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.ReceiveTimeout = 5000;
        if (!socket.ConnectAsync(target).Wait(patience ?? TimeSpan.FromSeconds(5)))
        {
            throw new TimeoutException($"no answer from {target}");
        }

        socket.Send("ping"u8);
        socket.Shutdown(SocketShutdown.Send);
        var answer = new StringBuilder();
        var buffer = new byte[256];
        int count;
        while ((count = socket.Receive(buffer)) > 0)
        {
            answer.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }

        return answer.ToString();
    });

    private void Serve()
    {
        while (true)
        {
            try
            {
                using var client = _listener.Accept();
                client.ReceiveTimeout = 5000;
                client.Send(Encoding.ASCII.GetBytes(((IPEndPoint)client.RemoteEndPoint!).Address + " "));
                var buffer = new byte[256];
                int count;
                while ((count = client.Receive(buffer)) > 0 && buffer[0] != 'q')
                {
                    client.Send(buffer.AsSpan(0, count));
                }

                client.Shutdown(SocketShutdown.Both);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                if (!_listener.IsBound || _listener.SafeHandle.IsClosed)
                {
                    return;
                }
            }
        }
    }
}
