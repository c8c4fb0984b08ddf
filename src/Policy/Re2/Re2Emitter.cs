using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Postern.Policy.Re2;

/// <summary>Which texts an emitted pattern is for.</summary>
internal enum Re2Alphabet
{
    /// <summary>Only texts whose every char is below U+0080: small classes, small automaton.</summary>
    Ascii,

    /// <summary>Any text of chars that stand for bytes; characters are UTF-8 sequences.</summary>
    Utf8Bytes,
}

/// <summary>
/// Writes a tree as a .NET pattern that means the same to <c>RegexOptions.NonBacktracking</c>: every class spelled out in hex, anchors
/// as \A and \z, nothing that depends on options or culture. The whole is anchored: Envoy's safe_regex is a full match.
/// </summary>
internal static class Re2Emitter
{
    public static string Emit(Re2Node node, Re2Alphabet alphabet)
    {
        var text = new StringBuilder("\\A(?:");
        Write(text, node, alphabet);
        return text.Append(")\\z").ToString();
    }

    private static void Write(StringBuilder text, Re2Node node, Re2Alphabet alphabet)
    {
        switch (node.Kind)
        {
            case Re2Kind.Empty:
                break;
            case Re2Kind.Set:
                WriteSet(text, node.Set, alphabet);
                break;
            case Re2Kind.Concat:
                foreach (var child in node.Children)
                {
                    Write(text, child, alphabet);
                }
                break;
            case Re2Kind.Alternate:
                for (var i = 0; i < node.Children.Length; i++)
                {
                    text.Append(i == 0 ? "(?:" : "|");
                    Write(text, node.Children[i], alphabet);
                }
                text.Append(')');
                break;
            case Re2Kind.Repeat:
                text.Append("(?:");
                Write(text, node.Children[0], alphabet);
                text.Append("){").Append(node.Min.ToString(CultureInfo.InvariantCulture)).Append(',');
                if (node.Max != Re2Node.Unbounded)
                {
                    text.Append(node.Max.ToString(CultureInfo.InvariantCulture));
                }
                text.Append('}');
                break;
            default:
                text.Append(node.Kind switch
                {
                    Re2Kind.Begin => "\\A",
                    Re2Kind.End => "\\z",
                    Re2Kind.LineBegin => "(?m:^)",
                    Re2Kind.LineEnd => "(?m:$)",
                    Re2Kind.WordBoundary => "\\b",
                    _ => "\\B",
                });
                break;
        }
    }

    private static void WriteSet(StringBuilder text, CodePointSet set, Re2Alphabet alphabet)
    {
        var ascii = set.OnlyAscii();
        if (alphabet == Re2Alphabet.Ascii || set.IsAscii)
        {
            WriteClass(text, ascii);
            return;
        }
        var sequences = new List<(byte Low, byte High)[]>();
        foreach (var (low, high) in set.Ranges)
        {
            if (high >= 0x80)
            {
                Utf8Sequences.Add(sequences, low < 0x80 ? 0x80 : low, high);
            }
        }
        text.Append("(?:");
        WriteClass(text, ascii);
        foreach (var sequence in sequences)
        {
            text.Append('|');
            foreach (var (low, high) in sequence)
            {
                WriteClass(text, CodePointSet.Of((low, high)));
            }
        }
        text.Append(')');
    }

    private static void WriteClass(StringBuilder text, CodePointSet set)
    {
        if (set.IsEmpty)
        {
            text.Append("[^\\s\\S]"); // matches nothing
            return;
        }
        text.Append('[');
        foreach (var (low, high) in set.Ranges)
        {
            text.Append(CultureInfo.InvariantCulture, $"\\x{low:X2}");
            if (high > low)
            {
                text.Append(CultureInfo.InvariantCulture, $"-\\x{high:X2}");
            }
        }
        text.Append(']');
    }
}
