using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Proxy.Tls;

/// <summary>
/// What stands below TLS: bytes that were read before come first, then those of the transport, straight into the reader's memory. An end of the transport is
/// an error here: behind a close_notify TLS does not read on, so who reads it lost what should have followed (RFC 8446, 6.1).
/// </summary>
internal sealed class PeekedStream(Stream transport, ReadOnlyMemory<byte> peeked = default) : Stream
{
    private ReadOnlyMemory<byte> peeked = peeked;

    /// <summary>What is read and written in fact.</summary>
    public Stream Transport => transport;

    /// <summary>Left while a read waits for the transport.</summary>
    public ReaderTurn Turn { get; } = new();

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!peeked.IsEmpty)
        {
            var count = Math.Min(buffer.Length, peeked.Length);
            peeked[..count].CopyTo(buffer);
            peeked = count == peeked.Length ? default : peeked[count..];
            return new ValueTask<int>(count);
        }
        var read = transport.ReadAsync(buffer, cancellationToken);
        if (!read.IsCompletedSuccessfully)
        {
            return ReadSlowAsync(read, buffer.IsEmpty);
        }
        var received = read.Result;
        return received > 0 || buffer.IsEmpty ? new ValueTask<int>(received) : ValueTask.FromException<int>(Truncated());
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("TLS is spoken asynchronously here");

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => transport.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        transport.WriteAsync(buffer, offset, count, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => transport.Write(buffer, offset, count);

    public override void Flush() => transport.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => transport.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            transport.Dispose();
        }
        base.Dispose(disposing);
    }

    private static IOException Truncated() => new("the peer ended the connection without close_notify: what it sent may be a part only");

    [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadSlowAsync(ValueTask<int> read, bool asksOnly)
    {
        var reading = Turn.Leave(); // not in a handshake, which nobody ends
        int count;
        try
        {
            count = await read.ConfigureAwait(false);
        }
        finally
        {
            if (reading)
            {
                Turn.Enter();
            }
        }
        return count > 0 || asksOnly ? count : throw Truncated();
    }
}
