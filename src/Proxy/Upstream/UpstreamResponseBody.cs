using System;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Http1;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Upstream;

/// <summary>
/// A response body as a stream of decoded bytes: by length, chunked, or until the server closes (RFC 9112 §6.3). One per connection, reused.
/// A body that ends early is an error, never a short success.
/// </summary>
internal sealed class UpstreamResponseBody(Http1UpstreamConnection connection) : Stream
{
    private Framing framing;
    private long remaining; // of the body, or of the current chunk
    private ChunkDecoder chunks;
    private FairShare share;

    private enum Framing
    {
        None,
        Length,
        Chunked,
        UntilClose,
    }

    /// <summary>Every byte was read; nothing of this response is left on the connection.</summary>
    public bool IsComplete { get; private set; } = true;

    /// <summary>Set at every successful read, for idle timeouts. Milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    public long LastRead { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Starts the body of a response.</summary>
    public void Begin(ResponseHead head, bool headRequest)
    {
        chunks = default;
        LastRead = Environment.TickCount64;
        if (headRequest || head.Status is 204 or 304)
        {
            framing = Framing.None;
        }
        else if (head.IsChunked)
        {
            framing = Framing.Chunked;
        }
        else if (head.ContentLength >= 0)
        {
            framing = Framing.Length;
            remaining = head.ContentLength;
        }
        else
        {
            framing = Framing.UntilClose;
            head.WillClose = true;
        }
        IsComplete = framing == Framing.None || (framing == Framing.Length && remaining == 0);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (IsComplete || (buffer.IsEmpty && !connection.Buffered.IsEmpty))
        {
            return new ValueTask<int>(0);
        }
        // The usual small answer: the whole body came with the head.
        if (framing == Framing.Length && connection.Buffered.Length > 0)
        {
            return new ValueTask<int>(TakeBuffered(buffer.Span));
        }
        return framing == Framing.Chunked ? ReadChunkedAsync(buffer) : ReadPlainAsync(buffer);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>The consumer is done. What it did not read makes the connection useless.</summary>
    protected override void Dispose(bool disposing)
    {
        if (!IsComplete)
        {
            connection.Dispose();
        }
        base.Dispose(disposing);
    }

    private int TakeBuffered(Span<byte> into)
    {
        var count = (int)Math.Min(Math.Min(into.Length, connection.Buffered.Length), remaining);
        connection.Buffered.Span[..count].CopyTo(into);
        connection.Take(count);
        remaining -= count;
        IsComplete = remaining == 0;
        return count;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadPlainAsync(Memory<byte> buffer)
    {
        if (framing == Framing.UntilClose && connection.Buffered.Length > 0)
        {
            var buffered = Math.Min(buffer.Length, connection.Buffered.Length);
            connection.Buffered[..buffered].CopyTo(buffer);
            connection.Take(buffered);
            return buffered;
        }
        if (framing == Framing.Length && buffer.Length > remaining)
        {
            buffer = buffer[..(int)remaining]; // bytes after the body are not ours to hand on
        }
        var receive = connection.ReceiveAsync(buffer);
        if (share.IsOver(receive.IsCompleted))
        {
            await FairShare.YieldAsync().ConfigureAwait(false);
        }
        var count = await receive.ConfigureAwait(false);
        LastRead = Environment.TickCount64;
        if (count > 0 || buffer.IsEmpty)
        {
            if (framing == Framing.Length)
            {
                remaining -= count;
                IsComplete = remaining == 0;
            }
            return count;
        }
        if (framing == Framing.UntilClose)
        {
            IsComplete = true;
            return 0;
        }
        throw new IOException("upstream closed the connection within the response body");
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadChunkedAsync(Memory<byte> buffer)
    {
        while (true)
        {
            var buffered = connection.Buffered;
            if (buffered.Length > 0)
            {
                var error = chunks.Decode(buffered.Span, buffer.Span, out var consumed, out var written);
                connection.Take(consumed);
                if (error != Http1Error.None)
                {
                    throw new IOException("upstream sent a malformed chunk: " + Http1Errors.Label(error));
                }
                if (chunks.IsDone)
                {
                    IsComplete = true;
                }
                if (written > 0 || IsComplete || (buffer.IsEmpty && connection.Buffered.Length > 0))
                {
                    return written;
                }
            }
            var fill = connection.FillAsync();
            if (share.IsOver(fill.IsCompleted))
            {
                await FairShare.YieldAsync().ConfigureAwait(false);
            }
            if (!await fill.ConfigureAwait(false))
            {
                throw new IOException("upstream closed the connection within a chunked response body");
            }
            LastRead = Environment.TickCount64;
        }
    }
}
