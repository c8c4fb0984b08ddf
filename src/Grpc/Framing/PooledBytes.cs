using System;
using System.Buffers;
using System.IO;

namespace Postern.Grpc.Framing;

/// <summary>A growing buffer of the shared pool; as a stream it takes what a compressor writes. Owner: the one call that made it.</summary>
/// <param name="limit">Bytes it may hold.</param>
/// <param name="tooMuch">What to throw when it would hold more.</param>
internal sealed class PooledBytes(int limit, Func<Exception> tooMuch) : Stream
{
    private byte[] bytes = ArrayPool<byte>.Shared.Rent(4096);
    private int length;

    public ReadOnlySpan<byte> Span => bytes.AsSpan(0, length);

    public ReadOnlyMemory<byte> Memory => bytes.AsMemory(0, length);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => length;

    public override long Position { get => length; set => throw new NotSupportedException(); }

    /// <summary>Room for <paramref name="count"/> more bytes, counted as written; the caller fills it.</summary>
    public Span<byte> Take(int count)
    {
        if (count > limit - length)
        {
            throw tooMuch();
        }
        if (count > bytes.Length - length)
        {
            var wanted = Math.Max((long)length + count, Math.Min(2L * bytes.Length, Array.MaxLength));
            var larger = ArrayPool<byte>.Shared.Rent((int)wanted);
            Span.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(bytes);
            bytes = larger;
        }
        length += count;
        return bytes.AsSpan(length - count, count);
    }

    /// <summary>The first bytes, to be filled in when the rest is known.</summary>
    public Span<byte> First(int count) => bytes.AsSpan(0, count);

    public override void Write(ReadOnlySpan<byte> buffer) => buffer.CopyTo(Take(buffer.Length));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        var returned = bytes;
        bytes = [];
        length = 0;
        if (returned.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(returned);
        }
        base.Dispose(disposing);
    }
}
