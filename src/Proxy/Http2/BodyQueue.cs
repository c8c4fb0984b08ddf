using System;
using System.Buffers;

namespace Postern.Proxy.Http2;

/// <summary>
/// The received part of a body that nobody has read yet: a chain of pooled chunks. Its bound is the flow-control window. Guarded by the session's gate.
/// </summary>
internal struct BodyQueue
{
    private const int MinChunk = 4096; // many small frames share one

    private Chunk? first;
    private Chunk? last;
    private bool lent; // the first chunk is with the reader

    /// <summary>Something to read.</summary>
    public readonly bool IsEmpty => first is null || (lent && first.Next is null);

    public void Append(ReadOnlySpan<byte> data)
    {
        if (last is { } tail && !(lent && ReferenceEquals(tail, first)) && tail.Bytes.Length - tail.Length >= data.Length)
        {
            data.CopyTo(tail.Bytes.AsSpan(tail.Length));
            tail.Length += data.Length;
            return;
        }
        var chunk = new Chunk(ArrayPool<byte>.Shared.Rent(Math.Max(MinChunk, data.Length))) { Length = data.Length };
        data.CopyTo(chunk.Bytes);
        if (last is null)
        {
            first = chunk;
        }
        else
        {
            last.Next = chunk;
        }
        last = chunk;
    }

    /// <summary>Lends the next bytes until <see cref="TakeBack"/>.</summary>
    public ReadOnlyMemory<byte> Lend(out bool isLast)
    {
        lent = true;
        isLast = first!.Next is null;
        return first.Bytes.AsMemory(0, first.Length);
    }

    /// <summary>What was lent is done with; returns how many bytes that were.</summary>
    public int TakeBack()
    {
        if (!lent)
        {
            return 0;
        }
        lent = false;
        return Drop();
    }

    /// <summary>Drops what is not with the reader; returns how many bytes that were.</summary>
    public int Clear()
    {
        var dropped = 0;
        if (lent)
        {
            var kept = first!;
            first = kept.Next;
            while (first is not null)
            {
                dropped += Drop();
            }
            kept.Next = null;
            first = last = kept;
            return dropped;
        }
        while (first is not null)
        {
            dropped += Drop();
        }
        return dropped;
    }

    private int Drop()
    {
        var chunk = first!;
        first = chunk.Next;
        if (first is null)
        {
            last = null;
        }
        ArrayPool<byte>.Shared.Return(chunk.Bytes);
        return chunk.Length;
    }

    private sealed class Chunk(byte[] bytes)
    {
        public readonly byte[] Bytes = bytes;
        public int Length;
        public Chunk? Next;
    }
}
