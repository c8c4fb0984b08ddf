using System.Text;

namespace Postern.Xds.Text;

/// <summary>Foreign text in error messages: one line, no control characters, of bounded length, so that a file cannot forge a log.</summary>
internal static class Printable
{
    private const int MaxLength = 200;

    /// <summary>The text itself, cleaned and cut.</summary>
    public static string Clip(string text)
    {
        var clean = text.Length <= MaxLength;
        for (var i = 0; clean && i < text.Length; i++)
        {
            clean = !IsUnprintable(text[i]);
        }
        if (clean)
        {
            return text;
        }
        var builder = new StringBuilder();
        for (var i = 0; i < text.Length && i < MaxLength; i++)
        {
            builder.Append(IsUnprintable(text[i]) ? '?' : text[i]);
        }
        return text.Length > MaxLength ? builder.Append("...").ToString() : builder.ToString();
    }

    /// <summary>In single quotes.</summary>
    public static string Quote(string text) => "'" + Clip(text) + "'";

    // Line and paragraph separators break lines too, and lone surrogates break encoders.
    private static bool IsUnprintable(char c) => char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' or '\u202e' or '\ufeff';
}
