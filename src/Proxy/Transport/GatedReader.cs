using System;
using System.Buffers;
using System.IO;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Connections;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Transport;

/// <summary>
/// The input of Kestrel's HTTP/1 server: reads the connection's stream and lets through only what the <see cref="RequestFramer"/> has vetted.
/// One buffer, contiguous, owned by the connection; no pipe, no second task, no thread hop: the reader's continuation runs where the socket completed.
/// </summary>
/// <remarks>
/// Layout of the buffer: [start, vetted) is shown to the server, [vetted, end) was received but not vetted yet.
/// Used by one reader at a time, as a PipeReader is; <see cref="CancelPendingRead"/> and the timeouts may come from other threads.
/// </remarks>
internal sealed class GatedReader(Stream stream, IConnectionControl control, RequestFramer framer, IGateEvents events, int maxHeadBytes) : PipeReader
{
    private const int MinBuffer = 2048; // most heads fit; it is what an idle connection holds
    private const int BodyBuffer = 32 * 1024;

    private byte[] buffer = [];
    private int start;
    private int vetted;
    private int end;
    private int examined; // absolute offset up to which the server has looked; more than this must be there before a read returns
    private bool endOfStream;
    private bool peerGone; // by a reset: nobody is there to be answered
    private int cancelRequested;
    private FairShare share;
    private volatile bool idleWait; // a read between two requests is pending
    private bool filled; // the last receive filled the buffer: more is waiting
    private int reading; // 1 while a read of the stream is pending

    /// <summary>Puts bytes that were peeked before the server took over in front of the stream.</summary>
    public void Preload(ReadOnlySpan<byte> bytes)
    {
        buffer = ArrayPool<byte>.Shared.Rent(Math.Max(bytes.Length, MinBuffer));
        bytes.CopyTo(buffer);
        end = bytes.Length;
    }

    /// <summary>A peer that said it is done, seen so far.</summary>
    public bool EndOfStream => endOfStream;

    public override bool TryRead(out ReadResult result) => TryTake(out result);

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        TryTake(out var result) ? new ValueTask<ReadResult>(result) : ReadSlowAsync(cancellationToken);

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        // Positions are offsets into the array that the last read handed out; it starts at offset 0 of the segment.
        start = consumed.GetInteger();
        this.examined = Math.Max(examined.GetInteger(), start);
        if (start == end)
        {
            start = vetted = end = this.examined = 0;
        }
    }

    public override void CancelPendingRead()
    {
        Interlocked.Exchange(ref cancelRequested, 1); // a full fence: this sees idleWait, or the reader sees this
        if (idleWait)
        {
            // The server wants to stop on an idle connection: nothing more will be read from it. A body under way is read to its end, and the
            // server hears of the cancellation with its next read.
            control.ShutdownReceive();
        }
    }

    public override void Complete(Exception? exception = null)
    {
        if (Volatile.Read(ref reading) == 0)
        {
            ReleaseBuffer();
        }
    }

    /// <summary>Gives the buffer back; called once nothing reads any more.</summary>
    public void ReleaseBuffer()
    {
        if (buffer.Length > 0)
        {
            var old = buffer;
            buffer = [];
            start = vetted = end = examined = 0;
            if (Volatile.Read(ref reading) == 0)
            {
                ArrayPool<byte>.Shared.Return(old); // else the kernel may still write to it: left to the collector
            }
        }
    }

    private bool TryTake(out ReadResult result)
    {
        if (Interlocked.Exchange(ref cancelRequested, 0) == 1)
        {
            result = new ReadResult(Pending(), isCanceled: true, isCompleted: endOfStream && vetted == end);
            return true;
        }
        if (vetted == examined)
        {
            Vet();
        }
        if (vetted > examined)
        {
            result = new ReadResult(Pending(), isCanceled: false, isCompleted: false);
            return true;
        }
        result = default;
        return false;
    }

    private void Vet()
    {
        if (start == vetted)
        {
            // Everything shown is consumed: an empty line can go without leaving a hole.
            start += framer.Skip(buffer.AsSpan(vetted, end - vetted));
            vetted = examined = start;
        }
        if (vetted < end)
        {
            vetted += framer.Vet(buffer.AsSpan(vetted, end - vetted));
        }
    }

    private ReadOnlySequence<byte> Pending() => vetted == start ? new ReadOnlySequence<byte>(buffer, start, 0) : new ReadOnlySequence<byte>(buffer, start, vetted - start);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> ReadSlowAsync(CancellationToken cancellationToken)
    {
        while (framer.Error == Http1Error.None && !endOfStream)
        {
            var idle = framer.BetweenMessages && vetted == end;
            if (idle)
            {
                events.OnIdle();
            }
            else if (framer.BetweenMessages)
            {
                events.OnMessageBegin(); // part of a head came together with the message before it
            }
            EnsureSpace();
            idleWait = idle;
            Interlocked.MemoryBarrier();
            if (idle && Volatile.Read(ref cancelRequested) == 1)
            {
                control.ShutdownReceive(); // asked for just before idleWait could be seen
            }
            var receive = ReceiveAsync(cancellationToken);
            if (share.IsOver(receive.IsCompleted))
            {
                await FairShare.YieldAsync().ConfigureAwait(false);
            }
            var count = await receive.ConfigureAwait(false);
            idleWait = false;
            filled = count == buffer.Length - end;
            end += count;
            endOfStream = count == 0;
            if (idle && count > 0)
            {
                events.OnMessageBegin();
            }
            if (TryTake(out var result))
            {
                return result;
            }
        }
        if (framer.WithinBody && !peerGone)
        {
            // A completed read would make the server cut the connection before the client can be told. This exception, of all, leaves its
            // body reader in order.
            throw new ConnectionAbortedException(framer.Error == Http1Error.None ? "the request's body broke off" : Http1Errors.Label(framer.Error));
        }
        if (framer.Error != Http1Error.None)
        {
            await events.OnRefusedAsync(framer.Error).ConfigureAwait(false);
        }
        else if (vetted < end)
        {
            await events.OnTruncatedAsync().ConfigureAwait(false);
        }
        return new ReadResult(Pending(), isCanceled: false, isCompleted: true);
    }

    private async ValueTask<int> ReceiveAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref reading, 1);
        try
        {
            return await stream.ReadAsync(buffer.AsMemory(end), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            peerGone = true;
            events.OnPeerGone();
            return 0;
        }
        finally
        {
            Volatile.Write(ref reading, 0);
        }
    }

    // Compacts, then grows: for bodies when the peer outruns the buffer, for a head as far as the head limit (one byte more shows the excess).
    private void EnsureSpace()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            vetted -= start;
            examined -= start;
            end -= start;
            start = 0;
        }
        var body = !framer.BetweenMessages;
        if (end < buffer.Length && !(body && filled && buffer.Length < BodyBuffer))
        {
            return;
        }
        var size = body ? Math.Max(BodyBuffer, end * 2) : Math.Min(Math.Max(buffer.Length * 2, MinBuffer), Math.Max(maxHeadBytes + 1, MinBuffer));
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(size, end + 1));
        buffer.AsSpan(0, end).CopyTo(larger);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        buffer = larger;
    }
}
