using System;
using System.Buffers;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Listeners;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Tcp;

/// <summary>
/// Copies bytes between two sockets, each direction on its own: a half-close of one side becomes a half-close of the other, in order, after
/// the last byte. Buffers are rented only while there is something to read, so an idle connection holds none.
/// </summary>
internal sealed class TcpRelay(Socket downstream, Socket upstream, TimeSpan? idleTimeout, ConnectionRegistry registry, OpenVerdict? verdict = null) : ITrackedConnection
{
    private const int BufferSize = 64 * 1024;

    private long lastActivity = Environment.TickCount64;
    private readonly long begun = Environment.TickCount64;
    private int aborted;

    public OpenVerdict? Verdict => verdict;

    /// <summary><c>max_downstream_connection_duration</c>; null for none.</summary>
    public TimeSpan? MaxDuration { get; init; }

    /// <summary>Runs until both directions ended.</summary>
    /// <param name="first">Bytes that were peeked; they go upstream first.</param>
    public async Task RunAsync(ReadOnlyMemory<byte> first)
    {
        registry.Add(this);
        try
        {
            if (first.Length > 0)
            {
                await SendAllAsync(upstream, first).ConfigureAwait(false);
            }
            await Task.WhenAll(CopyAsync(downstream, upstream), CopyAsync(upstream, downstream)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            AbortNow();
        }
        finally
        {
            downstream.Dispose();
            upstream.Dispose();
            registry.Remove(this);
        }
    }

    public void Sweep(long now)
    {
        if (idleTimeout is { } timeout && now - Volatile.Read(ref lastActivity) > timeout.TotalMilliseconds)
        {
            AbortNow();
        }
        if (MaxDuration is { } most && now - begun > most.TotalMilliseconds)
        {
            AbortNow();
        }
    }

    /// <summary>Opaque bytes have no good moment to end: the connection lives until the drain time is over.</summary>
    public void BeginDrain()
    {
    }

    /// <summary>Both sides get a reset: a cut must not look like an orderly end.</summary>
    public void AbortNow() => Revoke(static () => { });

    public bool Revoke(Action tell)
    {
        if (Interlocked.Exchange(ref aborted, 1) != 0)
        {
            return false;
        }
        tell();
        Reset(downstream);
        Reset(upstream);
        return true;
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var share = default(FairShare);
        try
        {
            while (true)
            {
                var ready = from.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
                if (share.IsOver(ready.IsCompleted))
                {
                    await FairShare.YieldAsync().ConfigureAwait(false);
                }
                await ready.ConfigureAwait(false);
                var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
                int count;
                try
                {
                    count = await from.ReceiveAsync(buffer.AsMemory(), SocketFlags.None).ConfigureAwait(false);
                    if (count > 0)
                    {
                        await SendAllAsync(to, buffer.AsMemory(0, count)).ConfigureAwait(false);
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
                Volatile.Write(ref lastActivity, Environment.TickCount64);
                if (count == 0)
                {
                    to.Shutdown(SocketShutdown.Send);
                    return;
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            AbortNow(); // a reset of one side is a reset of the other
        }
    }

    private static async ValueTask SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None).ConfigureAwait(false)..];
        }
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
        socket.Dispose();
    }
}
