using System;
using System.Buffers;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Tcp;

/// <summary>
/// Copies bytes between two channels, each direction on its own: a half-close of one side becomes a half-close of the other, in order, after
/// the last byte. Buffers are rented only while there is something to read, so an idle connection holds none.
/// </summary>
internal sealed class TcpRelay(TransportChannel downstream, TransportChannel upstream, TimeSpan? idleTimeout, ConnectionRegistry registry, OpenVerdict? verdict = null) : ITrackedConnection
{
    private const int BufferSize = 64 * 1024;

    private long lastActivity = Environment.TickCount64;
    private readonly long begun = Environment.TickCount64;
    private int aborted;

    public OpenVerdict? Verdict => verdict;

    /// <summary><c>max_downstream_connection_duration</c>; null for none.</summary>
    public TimeSpan? MaxDuration { get; init; }

    /// <summary>Counts when the client is not read because the server takes no more.</summary>
    public FlowCounters? DownstreamFlow { get; init; }

    /// <summary>The same the other way round.</summary>
    public FlowCounters? UpstreamFlow { get; init; }

    /// <summary>Runs until both directions ended.</summary>
    /// <param name="first">Bytes that were peeked; they go upstream first.</param>
    public async Task RunAsync(ReadOnlyMemory<byte> first)
    {
        registry.Add(this);
        try
        {
            if (first.Length > 0)
            {
                await upstream.Stream.WriteAsync(first).ConfigureAwait(false);
            }
            await Task.WhenAll(CopyAsync(downstream.Stream, upstream, DownstreamFlow), CopyAsync(upstream.Stream, downstream, UpstreamFlow)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            AbortNow();
        }
        finally
        {
            await downstream.Stream.DisposeAsync().ConfigureAwait(false);
            await upstream.Stream.DisposeAsync().ConfigureAwait(false);
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
        downstream.Control.Reset();
        upstream.Control.Reset();
        return true;
    }

    private async Task CopyAsync(Stream from, TransportChannel to, FlowCounters? flow)
    {
        var share = default(FairShare);
        try
        {
            while (true)
            {
                var ready = from.ReadAsync(Memory<byte>.Empty);
                if (share.IsOver(ready.IsCompleted))
                {
                    await FairShare.YieldAsync().ConfigureAwait(false);
                }
                await ready.ConfigureAwait(false);
                var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
                int count;
                try
                {
                    count = await from.ReadAsync(buffer.AsMemory()).ConfigureAwait(false);
                    if (count > 0)
                    {
                        await WriteAsync(to.Stream, buffer.AsMemory(0, count), flow).ConfigureAwait(false);
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
                Volatile.Write(ref lastActivity, Environment.TickCount64);
                if (count == 0)
                {
                    to.Control.ShutdownSend();
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            AbortNow(); // a reset of one side is a reset of the other
        }
    }

    private static ValueTask WriteAsync(Stream to, ReadOnlyMemory<byte> bytes, FlowCounters? flow)
    {
        var write = to.WriteAsync(bytes);
        return flow is null || write.IsCompleted ? write : CountAsync(write, flow);
    }

    private static async ValueTask CountAsync(ValueTask write, FlowCounters flow)
    {
        flow.Paused.Increment();
        await write.ConfigureAwait(false);
        flow.Resumed.Increment();
    }
}
