using System.Net.Sockets;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Listeners;

/// <summary>A connection between accept and the filter that ends its chain: nobody else could drain or cut it yet.</summary>
internal sealed class EarlyConnection(Socket socket) : ITrackedConnection
{
    private readonly SocketControl control = new(socket);
    private volatile bool spoken;

    public Socket Socket { get; } = socket;

    /// <summary>The client has sent something.</summary>
    public void OnBytes() => spoken = true;

    /// <summary>listener_filters_timeout is the sniffer's.</summary>
    public void Sweep(long now)
    {
    }

    /// <summary>A client that has not said a word is let go; another may be in the middle of a request.</summary>
    public void BeginDrain()
    {
        if (!spoken)
        {
            control.ShutdownReceive();
        }
    }

    public void AbortNow() => control.Reset();
}
