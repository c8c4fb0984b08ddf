using System;
using System.Buffers.Binary;

namespace Postern.Proxy.Http2.Hpack;

/// <summary>The Huffman code of RFC 7541 appendix B, both ways. The code is canonical, so the lengths say it all.</summary>
internal static class Huffman
{
    private const int EndOfString = 256;
    private const int ShortBits = 10; // the codes that text is made of
    private const int LongestCode = 30;

    private static readonly uint[] Codes = new uint[257];
    private static readonly ushort[] Short = new ushort[1 << ShortBits]; // first bits → length << 8 | symbol; 0 where the code is longer
    private static readonly ushort[] Symbols = new ushort[257]; // in the order of their codes
    private static readonly ulong[] LongLimit = new ulong[LongestCode + 1]; // by length: the first 32 bits of the next longer code
    private static readonly uint[] FirstCode = new uint[LongestCode + 1];
    private static readonly int[] FirstSymbol = new int[LongestCode + 1]; // index in Symbols

    static Huffman()
    {
        uint code = 0;
        var at = 0;
        for (var length = 1; length <= LongestCode; length++)
        {
            code <<= 1;
            FirstCode[length] = code;
            FirstSymbol[length] = at;
            for (var symbol = 0; symbol <= EndOfString; symbol++)
            {
                if (Lengths[symbol] != length)
                {
                    continue;
                }
                if (length <= ShortBits)
                {
                    Short.AsSpan((int)code << (ShortBits - length), 1 << (ShortBits - length)).Fill((ushort)((length << 8) | symbol));
                }
                Symbols[at++] = (ushort)symbol;
                Codes[symbol] = code++;
            }
            LongLimit[length] = (ulong)code << (32 - length);
        }
    }

    /// <summary>Bits of each symbol's code; the last one is EOS.</summary>
    private static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    /// <summary>Most bytes that so many encoded ones can become: no code is shorter than 5 bits.</summary>
    public static int MaxDecodedLength(int encoded) => (int)((long)encoded * 8 / 5);

    /// <summary>Bytes that the text takes encoded, padding included.</summary>
    public static int EncodedLength(ReadOnlySpan<byte> text)
    {
        var lengths = Lengths;
        long bits = 0;
        foreach (var symbol in text)
        {
            bits += lengths[symbol];
        }
        return (int)((bits + 7) >> 3);
    }

    /// <summary>Encodes; <paramref name="to"/> is as long as <see cref="EncodedLength"/> says.</summary>
    public static void Encode(ReadOnlySpan<byte> text, Span<byte> to)
    {
        var lengths = Lengths;
        ulong pending = 0; // its low bits
        var bits = 0;
        foreach (var symbol in text)
        {
            pending = (pending << lengths[symbol]) | Codes[symbol];
            bits += lengths[symbol];
            if (bits >= 32)
            {
                bits -= 32;
                BinaryPrimitives.WriteUInt32BigEndian(to, (uint)(pending >> bits));
                to = to[4..];
            }
        }
        for (var i = 0; bits > 0; i++)
        {
            // The last byte is filled with the first bits of EOS: ones.
            to[i] = bits >= 8 ? (byte)(pending >> (bits - 8)) : (byte)((pending << (8 - bits)) | (0xFFu >> bits));
            bits -= 8;
        }
    }

    /// <summary>Decodes. False for EOS, and for an end that is more than 7 bits of padding or not all ones (RFC 7541 §5.2).</summary>
    /// <param name="to">At least <see cref="MaxDecodedLength"/>.</param>
    public static bool TryDecode(ReadOnlySpan<byte> encoded, Span<byte> to, out int written)
    {
        ulong pending = 0; // its high bits; zeros behind them
        int bits = 0, at = 0;
        for (written = 0; ;)
        {
            while (bits <= 56 && at < encoded.Length)
            {
                pending |= (ulong)encoded[at++] << (56 - bits);
                bits += 8;
            }
            var entry = Short[pending >> (64 - ShortBits)];
            var (symbol, length) = entry != 0 ? (entry & 0xFF, entry >> 8) : FindLong((uint)(pending >> 32));
            if (length > bits)
            {
                // No code is all ones but EOS, so padding is never taken for a symbol.
                return bits == 0 || (bits < 8 && pending >> (64 - bits) == (1u << bits) - 1);
            }
            if (symbol == EndOfString)
            {
                return false;
            }
            to[written++] = (byte)symbol;
            pending <<= length;
            bits -= length;
        }
    }

    private static (int Symbol, int Length) FindLong(uint first)
    {
        var length = ShortBits + 1;
        while (first >= LongLimit[length])
        {
            length++; // ends at 30, whose limit is 2^32
        }
        return (Symbols[FirstSymbol[length] + (int)((first >> (32 - length)) - FirstCode[length])], length);
    }
}
