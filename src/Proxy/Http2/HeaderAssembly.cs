using System;
using System.Buffers;

namespace Postern.Proxy.Http2;

/// <summary>A header block that comes in HEADERS and CONTINUATION frames (RFC 9113 §6.10), bounded in bytes and frames. Holds memory only while one is unfinished.</summary>
internal struct HeaderAssembly(int maxBytes)
{
    private const int MaxContinuations = 64; // a head of a megabyte in full frames

    private readonly int maxBytes = Math.Max(maxBytes, FrameHeader.MaxPayload);
    private byte[] buffer = [];
    private int length;
    private int continuations;

    /// <summary>The stream whose block is unfinished; 0 for none. No frame but its CONTINUATION may come.</summary>
    public int StreamId { get; private set; }

    /// <summary>The HEADERS frame ended the stream.</summary>
    public bool EndsStream { get; private set; }

    public readonly ReadOnlySpan<byte> Block => buffer.AsSpan(0, length);

    /// <summary>A HEADERS frame without END_HEADERS.</summary>
    public Http2Fault? Begin(int streamId, bool endsStream, ReadOnlySpan<byte> fragment)
    {
        StreamId = streamId;
        EndsStream = endsStream;
        length = 0;
        continuations = 0;
        return Append(fragment);
    }

    /// <summary>A CONTINUATION frame of that stream. What is above the bound is not kept.</summary>
    public Http2Fault? Continue(ReadOnlySpan<byte> fragment) => ++continuations > MaxContinuations ? Http2Fault.HeaderBlockTooLarge : Append(fragment);

    /// <summary>The block was used, or never will be.</summary>
    public void Clear()
    {
        StreamId = 0;
        length = 0;
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = [];
        }
    }

    private Http2Fault? Append(ReadOnlySpan<byte> fragment)
    {
        if (fragment.Length > maxBytes - length)
        {
            return Http2Fault.HeaderBlockTooLarge;
        }
        if (buffer.Length - length < fragment.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(buffer.Length * 2, length + fragment.Length));
            Block.CopyTo(larger);
            if (buffer.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
            buffer = larger;
        }
        fragment.CopyTo(buffer.AsSpan(length));
        length += fragment.Length;
        return null;
    }
}
