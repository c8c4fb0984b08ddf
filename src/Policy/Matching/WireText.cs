using System;
using System.Text;

namespace Postern.Policy.Matching;

/// <summary>
/// Text as it is on the wire: one <c>char</c> per byte. Policy strings come from protobuf as Unicode; to compare equal bytes they are
/// turned into their UTF-8 bytes, each widened to a char, once, when a policy is compiled.
/// </summary>
internal static class WireText
{
    public static string From(string text) => Ascii.IsValid(text) ? text : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    public static string FromCodePoint(int codePoint) => From(new Rune(codePoint).ToString());

    /// <summary>True when <paramref name="text"/> is what RE2's <c>.*</c> matches: UTF-8, without newline unless <paramref name="newline"/>.</summary>
    public static bool IsDotText(ReadOnlySpan<char> text, bool newline)
    {
        if (!text.ContainsAnyExceptInRange(' ', '~'))
        {
            return true;
        }
        return (newline || !text.Contains('\n')) && (Ascii.IsValid(text) || IsUtf8(text));
    }

    private static bool IsUtf8(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            int lead = text[i];
            if (lead < 0x80)
            {
                continue;
            }
            var (extra, low, high) = lead switch
            {
                >= 0xC2 and <= 0xDF => (1, 0x80, 0xBF),
                0xE0 => (2, 0xA0, 0xBF),
                0xED => (2, 0x80, 0x9F), // no surrogates
                >= 0xE1 and <= 0xEF => (2, 0x80, 0xBF),
                0xF0 => (3, 0x90, 0xBF),
                >= 0xF1 and <= 0xF3 => (3, 0x80, 0xBF),
                0xF4 => (3, 0x80, 0x8F),
                _ => (-1, 0, 0),
            };
            if (extra < 0 || i + extra >= text.Length || text[i + 1] < low || text[i + 1] > high)
            {
                return false;
            }
            for (var k = 2; k <= extra; k++)
            {
                if (text[i + k] is < (char)0x80 or > (char)0xBF)
                {
                    return false;
                }
            }
            i += extra;
        }
        return true;
    }
}
