using System;
using System.Buffers;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Upstream;

/// <summary>
/// Takes the decoded request body and frames it for the upstream as the client framed it: by its Content-Length, or chunked.
/// Belongs to the one copy that writes to it, which disposes it when it ends, whatever became of the request meanwhile.
/// More or fewer bytes than announced is an error here, too: the upstream must never be left guessing.
/// </summary>
internal sealed class RequestBodyStream(Http1UpstreamConnection connection, RequestHead head) : Stream
{
    private const int ChunkHead = 10; // 8 hex digits and CRLF
    private static readonly byte[] LastChunk = "0\r\n\r\n"u8.ToArray();

    private readonly bool chunked = head.IsChunked; // not asked of the head later: the next request may be in it by then
    private long remaining = head.ContentLength;
    private byte[]? frame;

    /// <summary>Milliseconds of <see cref="Environment.TickCount64"/>, for idle timeouts.</summary>
    public long LastWrite { get; private set; } = Environment.TickCount64;

    /// <summary>The client's body broke off or was malformed. Kept here and not by the session: a copy that ends late must not speak for the next request.</summary>
    public bool ClientFailed { get; private set; }

    /// <summary>Notes that.</summary>
    public void FailClient() => ClientFailed = true;

    /// <summary>Sending to the upstream failed; the body could not be delivered, which is not the client's fault.</summary>
    public bool Failed { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        LastWrite = Environment.TickCount64;
        if (buffer.IsEmpty)
        {
            return default;
        }
        if (chunked)
        {
            return WriteChunkAsync(buffer);
        }
        if (buffer.Length > remaining)
        {
            return ValueTask.FromException(new IOException("request body is longer than its Content-Length"));
        }
        remaining -= buffer.Length;
        return SendAsync(buffer);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>The client's body ended well.</summary>
    public async ValueTask FinishAsync()
    {
        if (chunked)
        {
            await SendAsync(LastChunk).ConfigureAwait(false);
        }
        else if (remaining != 0)
        {
            throw new IOException("request body is shorter than its Content-Length");
        }
        connection.RequestSent = true;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (frame is { } rented)
        {
            frame = null;
            ArrayPool<byte>.Shared.Return(rented);
        }
        base.Dispose(disposing);
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await connection.SendAsync(bytes).ConfigureAwait(false);
        }
        catch
        {
            Failed = true;
            throw;
        }
    }

    // One send per chunk: size line, data and CRLF together.
    private async ValueTask WriteChunkAsync(ReadOnlyMemory<byte> buffer)
    {
        var needed = ChunkHead + buffer.Length + 2;
        if (frame is null || frame.Length < needed)
        {
            if (frame is not null)
            {
                ArrayPool<byte>.Shared.Return(frame);
            }
            frame = ArrayPool<byte>.Shared.Rent(needed);
        }
        buffer.Length.TryFormat(frame.AsSpan(), out var digits, "x", CultureInfo.InvariantCulture);
        frame[digits] = (byte)'\r';
        frame[digits + 1] = (byte)'\n';
        buffer.CopyTo(frame.AsMemory(digits + 2));
        frame[digits + 2 + buffer.Length] = (byte)'\r';
        frame[digits + 3 + buffer.Length] = (byte)'\n';
        await SendAsync(frame.AsMemory(0, digits + 4 + buffer.Length)).ConfigureAwait(false);
    }
}
