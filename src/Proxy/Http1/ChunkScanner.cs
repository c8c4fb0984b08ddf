using System;

namespace Postern.Proxy.Http1;

/// <summary>
/// Walks over chunked framing (RFC 9112 §7.1) and says how many bytes belong to the message, byte by byte strict: CRLF only, hex digits only,
/// bounded extensions and trailers. It decodes nothing: it tells a reader where the next head may start.
/// </summary>
internal struct ChunkScanner
{
    private const int MaxSizeDigits = 15; // 60 bits: cannot overflow a long
    private const int MaxExtensionBytes = 4096; // over the whole message, so that extensions cannot hide an endless stream
    private const int MaxTrailerBytes = 8192;

    private State state;
    private long remaining; // of the current chunk's data
    private int digits;
    private int extensionBytes;
    private int trailerBytes;
    private bool trailerLineEmpty;

    private enum State
    {
        Size,
        Extension,
        SizeLineFeed,
        Data,
        DataCarriageReturn,
        DataLineFeed,
        TrailerStart, // before the colon
        Trailer, // behind it
        TrailerLineFeed,
        Done,
    }

    /// <summary>The last byte of the message was seen.</summary>
    public readonly bool IsDone => state == State.Done;

    /// <summary>Takes bytes; stops at the message's end. Returns how many belong to it.</summary>
    public int Scan(ReadOnlySpan<byte> bytes, out Http1Error error)
    {
        error = Http1Error.None;
        var i = 0;
        while (i < bytes.Length && state != State.Done && error == Http1Error.None)
        {
            if (state == State.Data)
            {
                var take = (int)Math.Min(remaining, bytes.Length - i);
                SkipData(take);
                i += take;
                continue;
            }
            i += ScanFraming(bytes[i..], out error);
        }
        return i;
    }

    /// <summary>Data bytes of the current chunk that come next; 0 while framing comes next.</summary>
    public readonly long DataAhead => state == State.Data ? remaining : 0;

    /// <summary>Passes over data bytes, at most <see cref="DataAhead"/>.</summary>
    public void SkipData(int count)
    {
        remaining -= count;
        if (remaining == 0)
        {
            state = State.DataCarriageReturn;
        }
    }

    /// <summary>The next bytes belong to the trailer section, or to the empty line that ends it.</summary>
    public readonly bool InTrailers => state is State.TrailerStart or State.Trailer or State.TrailerLineFeed;

    /// <summary>Takes framing bytes up to the next data, the trailer section's start or the message's end; returns how many.</summary>
    public int ScanFraming(ReadOnlySpan<byte> bytes, out Http1Error error)
    {
        error = Http1Error.None;
        var i = 0;
        while (i < bytes.Length && state is not (State.Data or State.Done))
        {
            error = Step(bytes[i]);
            if (error != Http1Error.None)
            {
                return i;
            }
            i++;
            if (state == State.TrailerStart && trailerBytes == 0)
            {
                break; // who keeps trailers must know where they begin
            }
        }
        return i;
    }

    private Http1Error Step(byte b)
    {
        switch (state)
        {
            case State.Size:
                return StepSize(b);
            case State.Extension:
                if (b == '\r')
                {
                    state = State.SizeLineFeed;
                    return Http1Error.None;
                }
                // A LF inside an extension is how two parsers come to disagree (CVE-2025-55315).
                return b < ' ' && b != '\t' ? Http1Error.InvalidChunk : ++extensionBytes > MaxExtensionBytes ? Http1Error.ChunkExtensionTooLarge : Http1Error.None;
            case State.SizeLineFeed:
                state = remaining == 0 ? State.TrailerStart : State.Data;
                digits = 0;
                trailerLineEmpty = true;
                return Expect(b, (byte)'\n');
            case State.DataCarriageReturn:
                state = State.DataLineFeed;
                return Expect(b, (byte)'\r');
            case State.DataLineFeed:
                state = State.Size;
                return Expect(b, (byte)'\n');
            default:
                return StepTrailer(b);
        }
    }

    private Http1Error StepSize(byte b)
    {
        var value = HexValue(b);
        if (value >= 0)
        {
            if (++digits > MaxSizeDigits)
            {
                return Http1Error.InvalidChunk;
            }
            remaining = (remaining << 4) | (long)value;
            return Http1Error.None;
        }
        if (digits == 0)
        {
            return Http1Error.InvalidChunk;
        }
        if (b == '\r')
        {
            state = State.SizeLineFeed;
            return Http1Error.None;
        }
        if (b != ';')
        {
            return Http1Error.InvalidChunk;
        }
        state = State.Extension;
        extensionBytes++;
        return Http1Error.None;
    }

    private Http1Error StepTrailer(byte b)
    {
        if (++trailerBytes > MaxTrailerBytes)
        {
            return Http1Error.TrailersTooLarge;
        }
        if (state == State.TrailerLineFeed)
        {
            if (b != '\n')
            {
                return Http1Error.BareCarriageReturn;
            }
            state = trailerLineEmpty ? State.Done : State.TrailerStart;
            trailerLineEmpty = true;
            return Http1Error.None;
        }
        if (b == '\r' && (state == State.Trailer || trailerLineEmpty))
        {
            state = State.TrailerLineFeed;
            return Http1Error.None;
        }
        // A trailer line is a field line: a name, a colon, a value; folding and bare LF are as wrong here as in a head.
        if (state == State.Trailer)
        {
            return (b < ' ' && b != '\t') || b == 0x7F ? Http1Error.InvalidHeaderValue : Http1Error.None;
        }
        if (b == ':' && !trailerLineEmpty)
        {
            state = State.Trailer;
            return Http1Error.None;
        }
        trailerLineEmpty = false;
        return Grammar.TokenBytes.Contains(b) ? Http1Error.None : Http1Error.InvalidHeaderName;
    }

    private static Http1Error Expect(byte actual, byte wanted) => actual == wanted ? Http1Error.None : Http1Error.InvalidChunk;

    private static int HexValue(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        _ => -1,
    };
}
