using System;

namespace Postern.Proxy.Http1;

/// <summary>
/// Walks over a message's body (RFC 9112 §6.3): by length, chunked, or until the connection ends. It says which of the received bytes are framing and which are data;
/// trailer lines are kept. Sans-I/O.
/// </summary>
internal struct BodyFramer
{
    private Framing framing;
    private long remaining;
    private ChunkScanner chunks;
    private TrailerSection? trailers;

    private static ReadOnlySpan<byte> PlainEnd => "\r\n0\r\n\r\n"u8;

    private enum Framing
    {
        None,
        Length,
        Chunked,
        UntilClose,
    }

    /// <summary>Every byte of the body was seen.</summary>
    public readonly bool IsComplete => framing switch
    {
        Framing.None => true,
        Framing.Length => remaining == 0,
        Framing.Chunked => chunks.IsDone,
        _ => false,
    };

    /// <summary>It ends with the connection.</summary>
    public readonly bool IsUntilClose => framing == Framing.UntilClose;

    /// <summary>No body.</summary>
    public static BodyFramer None() => default;

    /// <summary>So many bytes.</summary>
    public static BodyFramer OfLength(long length) => new() { framing = Framing.Length, remaining = length };

    /// <summary>Chunks; their trailers go into <paramref name="trailers"/>.</summary>
    public static BodyFramer Chunked(TrailerSection trailers)
    {
        trailers.Begin();
        return new BodyFramer { framing = Framing.Chunked, trailers = trailers };
    }

    /// <summary>All that comes.</summary>
    public static BodyFramer UntilClose() => new() { framing = Framing.UntilClose };

    /// <summary>Looks at received bytes: first framing, then data. With neither, more is needed or the body is complete.</summary>
    /// <param name="input">What follows what was taken before.</param>
    /// <param name="framingBytes">To be dropped.</param>
    /// <param name="dataBytes">Behind them.</param>
    public Http1Error Next(ReadOnlySpan<byte> input, out int framingBytes, out int dataBytes)
    {
        framingBytes = dataBytes = 0;
        switch (framing)
        {
            case Framing.Length:
                dataBytes = (int)Math.Min(remaining, input.Length);
                remaining -= dataBytes;
                return Http1Error.None;
            case Framing.UntilClose:
                dataBytes = input.Length;
                return Http1Error.None;
            case Framing.Chunked:
                return NextChunk(input, out framingBytes, out dataBytes);
            default:
                return Http1Error.None;
        }
    }

    /// <summary>If the plain end of a chunked body stands right behind the data that <see cref="Next"/> gave, takes it.</summary>
    /// <returns>Bytes taken.</returns>
    public int TakeEnd(ReadOnlySpan<byte> behind)
    {
        if (framing != Framing.Chunked || chunks.DataAhead > 0 || !behind.StartsWith(PlainEnd))
        {
            return 0;
        }
        _ = NextChunk(behind[..PlainEnd.Length], out _, out _);
        return PlainEnd.Length;
    }

    private Http1Error NextChunk(ReadOnlySpan<byte> input, out int framingBytes, out int dataBytes)
    {
        framingBytes = dataBytes = 0;
        while (framingBytes < input.Length && !chunks.IsDone)
        {
            var ahead = chunks.DataAhead;
            if (ahead > 0)
            {
                dataBytes = (int)Math.Min(ahead, input.Length - framingBytes);
                chunks.SkipData(dataBytes);
                return Http1Error.None;
            }
            var inTrailers = chunks.InTrailers;
            var count = chunks.ScanFraming(input[framingBytes..], out var error);
            if (error != Http1Error.None)
            {
                return error;
            }
            if (inTrailers)
            {
                trailers!.Add(input.Slice(framingBytes, count));
            }
            framingBytes += count;
        }
        return chunks.IsDone ? trailers!.Finish() : Http1Error.None;
    }
}
