using System;

namespace Postern.Proxy.Http1;

/// <summary>Decodes chunked framing with the strictness of <see cref="ChunkScanner"/>, which it drives: framing bytes out, data bytes through.</summary>
internal struct ChunkDecoder
{
    private ChunkScanner scanner;

    /// <summary>The last byte of the message was seen.</summary>
    public readonly bool IsDone => scanner.IsDone;

    /// <summary>Decodes as much as fits.</summary>
    /// <param name="input">Framed bytes.</param>
    /// <param name="output">Room for data.</param>
    /// <param name="consumed">Taken from <paramref name="input"/>.</param>
    /// <param name="written">Put into <paramref name="output"/>.</param>
    public Http1Error Decode(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int written)
    {
        consumed = written = 0;
        while (consumed < input.Length && !scanner.IsDone)
        {
            var data = scanner.DataAhead;
            if (data > 0)
            {
                var take = (int)Math.Min(Math.Min(data, input.Length - consumed), output.Length - written);
                if (take == 0)
                {
                    break; // no room
                }
                input.Slice(consumed, take).CopyTo(output[written..]);
                scanner.SkipData(take);
                consumed += take;
                written += take;
                continue;
            }
            consumed += scanner.ScanFraming(input[consumed..], out var error);
            if (error != Http1Error.None)
            {
                return error;
            }
        }
        return Http1Error.None;
    }
}
