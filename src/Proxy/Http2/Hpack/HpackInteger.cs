using System;

namespace Postern.Proxy.Http2.Hpack;

/// <summary>Integers with a prefix (RFC 7541 §5.1).</summary>
internal static class HpackInteger
{
    /// <summary>Octets of the largest that is written or read: the prefix's, and four of 7 bits.</summary>
    public const int MaxLength = 5;

    /// <summary>Reads one whose prefix is the low <paramref name="prefixBits"/> bits of the byte at <paramref name="at"/>, and goes behind it.</summary>
    public static HpackError Read(ReadOnlySpan<byte> block, int prefixBits, ref int at, out int value)
    {
        var full = (1 << prefixBits) - 1;
        value = block[at++] & full;
        if (value < full)
        {
            return HpackError.None;
        }
        for (var shift = 0; shift < 28; shift += 7)
        {
            if (at == block.Length)
            {
                return HpackError.Truncated;
            }
            var octet = block[at++];
            value += (octet & 0x7F) << shift; // below 2^28 + 2^8
            if (octet < 0x80)
            {
                return HpackError.None;
            }
        }
        return HpackError.IntegerTooLarge;
    }

    /// <summary>Writes one, below 2^28; <paramref name="pattern"/> is what stands above the prefix. Returns the octets written.</summary>
    public static int Write(Span<byte> to, int pattern, int prefixBits, int value)
    {
        var full = (1 << prefixBits) - 1;
        if (value < full)
        {
            to[0] = (byte)(pattern | value);
            return 1;
        }
        to[0] = (byte)(pattern | full);
        var rest = value - full;
        var at = 1;
        for (; rest >= 0x80; rest >>= 7)
        {
            to[at++] = (byte)(0x80 | (rest & 0x7F));
        }
        to[at++] = (byte)rest;
        return at;
    }
}
