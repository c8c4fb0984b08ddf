using System;
using System.Globalization;
using System.Text;

namespace Postern.Proxy.Admin;

/// <summary>Names and texts from outside within lines of ours: none of them may begin a line of its own, or steer a terminal.</summary>
internal static class OneLine
{
    /// <summary>Control characters as <c>\u000a</c>; the rest as it is.</summary>
    public static string Of(string text)
    {
        var first = 0;
        while (first < text.Length && !IsForbidden(text[first]))
        {
            first++;
        }
        if (first == text.Length)
        {
            return text;
        }
        var line = new StringBuilder(text, 0, first, text.Length + 16);
        foreach (var c in text.AsSpan(first))
        {
            if (IsForbidden(c))
            {
                line.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            }
            else
            {
                line.Append(c);
            }
        }
        return line.ToString();
    }

    // Line and paragraph separators, and the marks that turn the direction of text, are as bad as control characters.
    private static bool IsForbidden(char c) => char.IsControl(c) || c is '\u2028' or '\u2029' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
