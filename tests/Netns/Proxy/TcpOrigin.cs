using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>A TCP server that runs one piece of code per connection and counts them. What the code throws ends the connection.</summary>
internal sealed class TcpOrigin : IDisposable
{
    private readonly Socket _listener;
    private readonly Func<Socket, Task> _serve;
    private int _accepts;

    internal TcpOrigin(NetworkNamespace where, int port, Func<Socket, Task> serve)
    {
        _serve = serve;
        _listener = where.Inside(() =>
        {
            var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
            socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
            socket.Listen(128);
            return socket;
        });
        _ = AcceptAsync();
    }

    internal int Accepts => Volatile.Read(ref _accepts);

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var socket = await _listener.AcceptAsync().ConfigureAwait(false);
                Interlocked.Increment(ref _accepts);
                _ = ServeAsync(socket);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await _serve(socket).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or System.IO.IOException or System.Security.Authentication.AuthenticationException)
        {
        }
        finally
        {
            socket.Dispose();
        }
    }
}
