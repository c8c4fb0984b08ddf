using System;
using System.Collections.Generic;

namespace Postern.Policy.Re2;

/// <summary>
/// Rewrites a range of code points as sequences of byte ranges of its UTF-8 form: header text reaches policy as one char per wire
/// byte, while RE2 counts characters, so <c>.</c> must take the two bytes of é together and a byte that is no UTF-8 must match nothing.
/// A range is cut until its ends have equal length and differ only in trailing bytes that span their whole 80–BF.
/// </summary>
internal static class Utf8Sequences
{
    private static readonly int[] LengthLimits = [0x7F, 0x7FF, 0xFFFF];

    public static void Add(List<(byte Low, byte High)[]> sequences, int low, int high)
    {
        // Surrogates have no UTF-8 form.
        if (low <= 0xDFFF && high >= 0xD800)
        {
            if (low < 0xD800)
            {
                Add(sequences, low, 0xD7FF);
            }
            if (high > 0xDFFF)
            {
                Add(sequences, 0xE000, high);
            }
            return;
        }
        foreach (var limit in LengthLimits)
        {
            if (low <= limit && limit < high)
            {
                Add(sequences, low, limit);
                Add(sequences, limit + 1, high);
                return;
            }
        }
        for (var bits = 6; bits <= 18 && high > 0x7F; bits += 6)
        {
            var mask = (1 << bits) - 1;
            if ((low & ~mask) == (high & ~mask))
            {
                continue;
            }
            if ((low & mask) != 0)
            {
                Add(sequences, low, low | mask);
                Add(sequences, (low | mask) + 1, high);
                return;
            }
            if ((high & mask) != mask)
            {
                Add(sequences, low, (high & ~mask) - 1);
                Add(sequences, high & ~mask, high);
                return;
            }
        }
        Span<byte> first = stackalloc byte[4];
        Span<byte> last = stackalloc byte[4];
        var length = new System.Text.Rune(low).EncodeToUtf8(first);
        new System.Text.Rune(high).EncodeToUtf8(last);
        var sequence = new (byte, byte)[length];
        for (var i = 0; i < length; i++)
        {
            sequence[i] = (first[i], last[i]);
        }
        sequences.Add(sequence);
    }
}
