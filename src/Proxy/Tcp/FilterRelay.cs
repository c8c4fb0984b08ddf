using System;
using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Tcp;

/// <summary>
/// Relays between two channels through a chain of byte filters. Two loops read, two write, each at its own pace; the filters run under one lock, for as long as one read takes
/// them. A side is not read while too much waits for the other, nor while too many of the filters' own answers wait for itself, so memory is bounded whatever
/// either peer does. A half-close goes through the filters like bytes.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "RunAsync disposes of the timer at the end")]
internal sealed class FilterRelay : ITrackedConnection
{
    /// <summary>What may wait one way before the side it comes from is no longer read, bytes.</summary>
    public const int HighMark = 64 * 1024;

    private const int AnswerMark = 4 * HighMark; // above what reading alone can pile up: only the filters' answers get there
    private const int ReadSize = 32 * 1024;
    private const int LingerMillis = 1000; // for a refusal's answer to arrive before the reset

    private readonly Lock gate = new();
    private readonly FilterRelayParts parts;
    private readonly ByteFilterChain chain;
    private readonly Wakeup readDown = new();
    private readonly Wakeup readUp = new();
    private readonly Wakeup writeDown = new();
    private readonly Wakeup writeUp = new();
    private readonly Wakeup connect = new();
    private readonly Timer timer;
    private UpstreamLink? upstream;
    private long timerSetFor = long.MaxValue;
    private long lastActivity = Environment.TickCount64;
    private long lingerUntil = long.MaxValue;
    private bool refused; // by a filter, with an answer that still goes out
    private bool told;
    private bool flushing;
    private volatile bool over;
    private Exception? bug; // of the timer
    private int aborted;
    private OpenVerdict? verdict;

    public FilterRelay(FilterRelayParts parts, OpenVerdict? verdict)
    {
        this.parts = parts;
        this.verdict = verdict;
        chain = parts.Chain;
        timer = new Timer(static state => ((FilterRelay)state!).OnTimer(), this, Timeout.Infinite, Timeout.Infinite);
    }

    public OpenVerdict? Verdict => Volatile.Read(ref verdict);

    private static long Now => Environment.TickCount64;

    /// <summary>What it is open by now. Policy that changed meanwhile is asked at once.</summary>
    public void JudgedAnew(OpenVerdict? by)
    {
        Volatile.Write(ref verdict, by);
        Interlocked.MemoryBarrier(); // a review sees the verdict, or this sees the policy it is for
        by?.Review(this);
    }

    /// <summary>Runs until both directions ended, or it was cut.</summary>
    /// <param name="first">Bytes that were peeked.</param>
    public async Task RunAsync(ReadOnlyMemory<byte> first)
    {
        parts.Stats.ConnectionsTotal.Increment();
        parts.Registry.Add(this);
        try
        {
            lock (gate)
            {
                chain.Connect(Now);
                if (first.Length > 0 && !chain.Verdict.Closes)
                {
                    chain.FromDownstream(first.Span, end: false, Now);
                }
                Settle();
            }
            await Task.WhenAll(ReadDownstreamAsync(), WriteAsync(parts.Downstream, chain.ToDownstream, writeDown, null), ServeUpstreamAsync()).ConfigureAwait(false);
            if (bug is { } e)
            {
                throw new InvalidOperationException("a filter's timer failed", e);
            }
        }
        finally
        {
            lock (gate)
            {
                over = true;
                if (flushing)
                {
                    parts.Stats.FlushActive.Decrement();
                }
            }
            await timer.DisposeAsync().ConfigureAwait(false);
            await parts.Downstream.Stream.DisposeAsync().ConfigureAwait(false);
            if (upstream is { } link)
            {
                await link.Channel.Stream.DisposeAsync().ConfigureAwait(false);
                link.Stats.ConnectionsActive.Decrement();
            }
            parts.Registry.Remove(this);
        }
    }

    public void Sweep(long now)
    {
        if (now >= Volatile.Read(ref lingerUntil))
        {
            AbortNow();
        }
        else if (parts.IdleTimeout is { } timeout && now - Volatile.Read(ref lastActivity) > timeout.TotalMilliseconds)
        {
            Revoke(parts.Stats.IdleTimeouts.Increment);
        }
    }

    /// <summary>Bytes of unknown protocols have no good moment to end: the connection lives until the drain time is over.</summary>
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
        parts.Downstream.Control.Reset();
        Volatile.Read(ref upstream)?.Channel.Control.Reset();
        lock (gate)
        {
            Finish();
        }
        return true;
    }

    private async Task ServeUpstreamAsync()
    {
        await connect.WaitAsync().ConfigureAwait(false);
        if (over || refused)
        {
            return;
        }
        var link = await parts.ConnectAsync(this).ConfigureAwait(false);
        if (link is null)
        {
            AbortNow();
            return;
        }
        link.Stats.ConnectionsActive.Increment();
        Volatile.Write(ref upstream, link);
        if (Volatile.Read(ref aborted) != 0)
        {
            link.Channel.Control.Reset(); // it may not have been seen when the rest was cut
            return;
        }
        await Task.WhenAll(ReadUpstreamAsync(link), WriteAsync(link.Channel, chain.ToUpstream, writeUp, link)).ConfigureAwait(false);
    }

    private Task ReadDownstreamAsync() => ReadAsync(parts.Downstream.Stream, readDown, isClient: true, parts.Stats.Flow);

    private Task ReadUpstreamAsync(UpstreamLink link) => ReadAsync(link.Channel.Stream, readUp, isClient: false, link.Stats.Flow);

    private async Task ReadAsync(Stream stream, Wakeup wakeup, bool isClient, FlowCounters flow)
    {
        var share = default(FairShare);
        try
        {
            while (await MayReadAsync(wakeup, isClient, flow).ConfigureAwait(false))
            {
                var ready = stream.ReadAsync(Memory<byte>.Empty);
                if (share.IsOver(ready.IsCompleted))
                {
                    await FairShare.YieldAsync().ConfigureAwait(false);
                }
                await ready.ConfigureAwait(false);
                var buffer = ArrayPool<byte>.Shared.Rent(ReadSize);
                try
                {
                    var count = await stream.ReadAsync(buffer.AsMemory(0, ReadSize)).ConfigureAwait(false);
                    Volatile.Write(ref lastActivity, Now);
                    Received(buffer.AsSpan(0, count), isClient);
                    if (count == 0)
                    {
                        return;
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            if (!over)
            {
                AbortNow(); // a reset of one side is a reset of the other
            }
        }
        catch
        {
            AbortNow(); // a bug: the other loops must not wait for this one
            throw;
        }
    }

    private void Received(ReadOnlySpan<byte> data, bool isClient)
    {
        lock (gate)
        {
            if (over)
            {
                return;
            }
            if (refused)
            {
                if (data.Length == 0)
                {
                    Finish();
                }
                return; // read to let the answer arrive, and dropped
            }
            if (isClient)
            {
                chain.FromDownstream(data, data.Length == 0, Now);
                if (data.Length == 0 && !flushing && chain.ToDownstream is { IsEndTaken: true, Count: 0 } && chain.ToUpstream.Count + chain.Held > 0)
                {
                    flushing = true;
                    parts.Stats.FlushTotal.Increment();
                    parts.Stats.FlushActive.Increment();
                }
            }
            else
            {
                chain.FromUpstream(data, data.Length == 0, Now);
            }
            Settle();
        }
    }

    private async ValueTask<bool> MayReadAsync(Wakeup wakeup, bool isClient, FlowCounters flow)
    {
        var waited = false;
        while (true)
        {
            lock (gate)
            {
                if (over || (refused && !isClient))
                {
                    return false;
                }
                if (MayRead(isClient))
                {
                    if (waited)
                    {
                        flow.Resumed.Increment();
                    }
                    return true;
                }
            }
            if (!waited)
            {
                waited = true;
                flow.Paused.Increment();
            }
            await wakeup.WaitAsync().ConfigureAwait(false);
        }
    }

    private bool MayRead(bool isClient)
    {
        var (onwards, back) = isClient ? (chain.ToUpstream.Count + chain.Held, chain.ToDownstream.Count) : (chain.ToDownstream.Count, chain.ToUpstream.Count);
        return refused || (onwards < HighMark && back < AnswerMark);
    }

    private async Task WriteAsync(TransportChannel to, PendingBytes queue, Wakeup wakeup, UpstreamLink? link)
    {
        try
        {
            while (true)
            {
                ReadOnlyMemory<byte> bytes;
                bool ends;
                lock (gate)
                {
                    if (over || (refused && link is not null))
                    {
                        return;
                    }
                    bytes = queue.BeginWrite();
                    ends = bytes.IsEmpty && queue.IsEnded;
                }
                if (ends)
                {
                    to.Control.ShutdownSend();
                    lock (gate)
                    {
                        queue.EndTaken();
                        Settle();
                    }
                    return;
                }
                if (bytes.IsEmpty)
                {
                    await wakeup.WaitAsync().ConfigureAwait(false);
                    continue;
                }
                await to.Stream.WriteAsync(bytes).ConfigureAwait(false);
                Volatile.Write(ref lastActivity, Now);
                lock (gate)
                {
                    queue.EndWrite();
                    Settle();
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            AbortNow();
        }
    }

    private void OnTimer()
    {
        try
        {
            lock (gate)
            {
                timerSetFor = long.MaxValue;
                if (!over && !refused)
                {
                    chain.Tick(Now);
                    Settle();
                }
            }
        }
#pragma warning disable CA1031 // A bug on the timer's thread would end the process; it ends the connection, and its owner logs it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            bug = e;
            AbortNow();
        }
    }

    // After everything that may have changed what waits. Under the lock.
    private void Settle()
    {
        if (over)
        {
            return;
        }
        if (chain.Verdict.Closes && !refused)
        {
            Refuse();
            return;
        }
        if (chain.ToDownstream is { IsEndTaken: true, Count: 0 } && (refused || chain.ToUpstream is { IsEndTaken: true, Count: 0 }))
        {
            if (!refused)
            {
                Finish();
            }
            return;
        }
        if (chain.ToDownstream.HasNews)
        {
            writeDown.Set();
        }
        if (chain.ToUpstream.HasNews)
        {
            writeUp.Set();
        }
        if (MayRead(isClient: true))
        {
            readDown.Set();
        }
        if (MayRead(isClient: false))
        {
            readUp.Set();
        }
        if (!chain.HoldsConnect)
        {
            connect.Set();
        }
        var next = chain.NextTimer;
        if (next < timerSetFor && !refused)
        {
            timerSetFor = next;
            timer.Change(Math.Max(0, next - Now), Timeout.Infinite);
        }
    }

    private void Refuse()
    {
        var why = chain.Verdict;
        if (!told && !why.IsTold)
        {
            parts.Tell(why);
        }
        told = true;
        if (!why.Flushes)
        {
            Interlocked.Exchange(ref aborted, 1);
            parts.Downstream.Control.Reset();
            upstream?.Channel.Control.Reset();
            Finish();
            return;
        }
        refused = true;
        upstream?.Channel.Control.Reset();
        Volatile.Write(ref lingerUntil, Now + LingerMillis);
        chain.ToDownstream.End();
        WakeAll();
    }

    private void Finish()
    {
        over = true;
        WakeAll();
        // A read may be waiting for a peer that has nothing more to say.
        parts.Downstream.Control.ShutdownReceive();
        upstream?.Channel.Control.ShutdownReceive();
    }

    private void WakeAll()
    {
        readDown.Set();
        readUp.Set();
        writeDown.Set();
        writeUp.Set();
        connect.Set();
    }
}
