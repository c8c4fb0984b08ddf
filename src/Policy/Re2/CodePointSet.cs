using System;
using System.Collections.Generic;
using System.Globalization;

namespace Postern.Policy.Re2;

/// <summary>A set of Unicode code points as sorted, disjoint, inclusive ranges.</summary>
internal sealed class CodePointSet
{
    public const int Last = 0x10FFFF;

    public static readonly CodePointSet None = new([]);
    public static readonly CodePointSet All = new([(0, Last)]);
    public static readonly CodePointSet NotNewline = new([(0, '\n' - 1), ('\n' + 1, Last)]);
    public static readonly CodePointSet Digit = Of(('0', '9'));
    public static readonly CodePointSet Word = Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));
    public static readonly CodePointSet Space = Of(('\t', '\n'), ('\f', '\r'), (' ', ' ')); // RE2's \s has no \v

    private CodePointSet((int Low, int High)[] ranges) => Ranges = ranges;

    public (int Low, int High)[] Ranges { get; }

    public bool IsEmpty => Ranges.Length == 0;

    public bool IsAscii => IsEmpty || Ranges[^1].High < 0x80;

    /// <summary>The only member, or -1.</summary>
    public int Single => Ranges.Length == 1 && Ranges[0].Low == Ranges[0].High ? Ranges[0].Low : -1;

    public static CodePointSet Of(params (int Low, int High)[] ranges)
    {
        var sorted = ((int Low, int High)[])ranges.Clone();
        Array.Sort(sorted);
        var merged = new List<(int Low, int High)>(sorted.Length);
        foreach (var range in sorted)
        {
            if (merged.Count > 0 && range.Low <= merged[^1].High + 1)
            {
                merged[^1] = (merged[^1].Low, Math.Max(merged[^1].High, range.High));
            }
            else
            {
                merged.Add(range);
            }
        }
        return new CodePointSet([.. merged]);
    }

    public static CodePointSet Of(int codePoint) => new([(codePoint, codePoint)]);

    public CodePointSet Union(CodePointSet other) => Of([.. Ranges, .. other.Ranges]);

    public CodePointSet Negate()
    {
        var result = new List<(int, int)>(Ranges.Length + 1);
        var next = 0;
        foreach (var (low, high) in Ranges)
        {
            if (low > next)
            {
                result.Add((next, low - 1));
            }
            next = high + 1;
        }
        if (next <= Last)
        {
            result.Add((next, Last));
        }
        return new CodePointSet([.. result]);
    }

    /// <summary>The set with every case variant added, as RE2's <c>(?i)</c> does; only for ASCII members (others are refused).</summary>
    public CodePointSet FoldCase()
    {
        if (!IsAscii)
        {
            throw new Re2SyntaxException("(?i) on a non-ASCII character cannot be expressed; write both cases out");
        }
        var result = new List<(int, int)>(Ranges);
        foreach (var (low, high) in Ranges)
        {
            AddShifted(result, low, high, 'A', 'Z', 32);
            AddShifted(result, low, high, 'a', 'z', -32);
            // RE2 folds by Unicode: U+212A KELVIN SIGN is a k, U+017F LONG S is an s.
            if (Touches(low, high, 'k') || Touches(low, high, 'K'))
            {
                result.Add((0x212A, 0x212A));
            }
            if (Touches(low, high, 's') || Touches(low, high, 'S'))
            {
                result.Add((0x17F, 0x17F));
            }
        }
        return Of([.. result]);
    }

    public CodePointSet OnlyAscii()
    {
        var result = new List<(int, int)>(Ranges.Length);
        foreach (var (low, high) in Ranges)
        {
            if (low < 0x80)
            {
                result.Add((low, Math.Min(high, 0x7F)));
            }
        }
        return new CodePointSet([.. result]);
    }

    public bool SameAs(CodePointSet other) => Ranges.AsSpan().SequenceEqual(other.Ranges);

    public int Count
    {
        get
        {
            var count = 0;
            foreach (var (low, high) in Ranges)
            {
                count += high - low + 1;
            }
            return count;
        }
    }

    /// <summary>The code points of a general category (<c>N</c>, <c>Lu</c>), or null when the name is none.</summary>
    public static CodePointSet? Category(string name)
    {
        var result = new List<(int, int)>();
        var known = false;
        for (var category = UnicodeCategory.UppercaseLetter; category <= UnicodeCategory.OtherNotAssigned; category++)
        {
            known |= Abbreviation(category).StartsWith(name, StringComparison.Ordinal) && name.Length is 1 or 2;
        }
        if (!known || name is "Cn" or "Cs" or "C")
        {
            return null;
        }
        for (var codePoint = 0; codePoint <= Last; codePoint++)
        {
            if (codePoint is >= 0xD800 and <= 0xDFFF)
            {
                continue;
            }
            if (Abbreviation(CharUnicodeInfo.GetUnicodeCategory(codePoint)).StartsWith(name, StringComparison.Ordinal))
            {
                if (result.Count > 0 && result[^1].Item2 == codePoint - 1)
                {
                    result[^1] = (result[^1].Item1, codePoint);
                }
                else
                {
                    result.Add((codePoint, codePoint));
                }
            }
        }
        return new CodePointSet([.. result]);
    }

    private static bool Touches(int low, int high, char c) => low <= c && c <= high;

    private static void AddShifted(List<(int, int)> result, int low, int high, int first, int last, int shift)
    {
        var from = Math.Max(low, first);
        var to = Math.Min(high, last);
        if (from <= to)
        {
            result.Add((from + shift, to + shift));
        }
    }

    // Order of UnicodeCategory, in the two-letter names of the Unicode standard.
    private static string Abbreviation(UnicodeCategory category) =>
        "LuLlLtLmLoMnMcMeNdNlNoZsZlZpCcCfCsCoPcPdPsPePiPfPoSmScSkSoCn".Substring((int)category * 2, 2);
}
