using System;

namespace Postern.Policy.Matching;

/// <summary>Comparison that folds A–Z only. The framework's OrdinalIgnoreCase also folds bytes above 7F, which are halves of UTF-8 characters here.</summary>
internal static class AsciiCase
{
    public static bool Equal(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        if (a.Length != b.Length)
        {
            return false;
        }
        for (var i = 0; i < a.Length; i++)
        {
            if (a[i] != b[i] && Fold(a[i]) != Fold(b[i]))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary><paramref name="part"/> must be ASCII: then OrdinalIgnoreCase folds nothing but ASCII in byte-wide text.</summary>
    public static bool Contains(ReadOnlySpan<char> text, string part) => text.IndexOf(part, StringComparison.OrdinalIgnoreCase) >= 0;

    public static char Fold(char c) => (uint)(c - 'A') <= 25 ? (char)(c | 0x20) : c;
}
