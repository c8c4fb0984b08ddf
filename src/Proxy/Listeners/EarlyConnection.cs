using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Listeners;

/// <summary>A connection between accept and the filter that ends its chain: nobody else could drain or cut it yet.</summary>
/// <param name="socket">Accepted.</param>
/// <param name="source">Who is connected, IPv4 as such; null when that was not to be had.</param>
internal sealed class EarlyConnection(Socket socket, IPAddress? source) : ITrackedConnection
{
    private const int Silent = 0;
    private const int Kept = 1;
    private const int LetGo = 2;

    private readonly SocketControl control = new(socket);
    private int state;

    public Socket Socket { get; } = socket;

    public IPAddress? Source { get; } = source;

    /// <summary>The client has sent something, or is served without: a drain leaves it alone from now on. False when a drain came first.</summary>
    public bool TryKeep() => Interlocked.CompareExchange(ref state, Kept, Silent) != LetGo;

    /// <summary>listener_filters_timeout is the sniffer's.</summary>
    public void Sweep(long now)
    {
    }

    /// <summary>A client that has not said a word is let go; another may be in the middle of a request.</summary>
    public void BeginDrain()
    {
        if (Interlocked.CompareExchange(ref state, LetGo, Silent) == Silent)
        {
            control.ShutdownReceive(); // wakes the sniffer
        }
    }

    public void AbortNow() => control.Reset();

    /// <summary>Not judged yet.</summary>
    public OpenVerdict? Verdict => null;

    public bool Revoke(Action tell)
    {
        tell();
        AbortNow();
        return true;
    }
}
