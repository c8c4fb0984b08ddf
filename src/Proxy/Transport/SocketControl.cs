using System;
using System.Net.Sockets;

namespace Postern.Proxy.Transport;

/// <summary><see cref="IConnectionControl"/> over a TCP socket. Every call tolerates a socket that is already closed.</summary>
internal sealed class SocketControl(Socket socket) : IConnectionControl
{
    public bool PeerIsGone => Poll(SelectMode.SelectError);

    public bool HasInput => Poll(SelectMode.SelectRead);

    public void ShutdownReceive() => Shutdown(SocketShutdown.Receive);

    public void ShutdownSend() => Shutdown(SocketShutdown.Send);

    public void Reset()
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0); // close sends RST
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
        socket.Dispose();
    }

    private bool Poll(SelectMode mode)
    {
        try
        {
            return socket.Poll(0, mode);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }

    private void Shutdown(SocketShutdown how)
    {
        try
        {
            socket.Shutdown(how);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }
}
