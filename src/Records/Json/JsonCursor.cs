using System;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Postern.Records.Json;

/// <summary>
/// Writes JSON tokens into a span, forward only. Output is pure ASCII: every other character becomes <c>\uXXXX</c>, so a line is valid
/// UTF-8 whatever bytes were on the wire, and a raw log cannot move a terminal's cursor. The caller's buffer has room for each token at its budget.
/// </summary>
internal ref struct JsonCursor(Span<byte> buffer)
{
    private readonly Span<byte> buffer = buffer;

    /// <summary>Bytes a cut-off marker, the two quotes and one whole escape may take beyond a string's budget.</summary>
    public const int StringSlack = 32;

    /// <summary>Bytes written so far; may be set back to undo.</summary>
    public int Length { get; set; }

    public void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(buffer[Length..]);
        Length += bytes.Length;
    }

    public void Number(ulong value)
    {
        Utf8Formatter.TryFormat(value, buffer[Length..], out var written);
        Length += written;
    }

    /// <summary>A quoted string of at most <paramref name="budget"/> bytes between the quotes; a longer one is cut and ends in <c>[truncated]</c>.</summary>
    public void String(scoped ReadOnlySpan<char> text, int budget)
    {
        buffer[Length++] = (byte)'"';
        var target = buffer[Length..];
        var head = text.Length <= budget ? text : text[..budget];
        var done = CopyPlain(head, target);
        var written = done;
        if (done < text.Length)
        {
            written = Escape(text, done, target, budget);
        }

        target[written] = (byte)'"';
        Length += written + 1;
    }

    // Narrows 8 characters a step while nothing among them needs an escape; the last, short step overlaps the one before.
    // One pass does test and copy: header names and values are short, a separate scan would cost as much as the copy.
    private static int CopyPlain(scoped ReadOnlySpan<char> text, Span<byte> target)
    {
        var source = MemoryMarshal.Cast<char, ushort>(text);
        var i = 0;
        if (source.Length >= Vector128<ushort>.Count)
        {
            var last = source.Length - Vector128<ushort>.Count;
            while (true)
            {
                var v = Vector128.Create(source[i..]);
                var special = Vector128.GreaterThan(v - Vector128.Create((ushort)0x20), Vector128.Create((ushort)0x5e))
                    | Vector128.Equals(v, Vector128.Create((ushort)'"'))
                    | Vector128.Equals(v, Vector128.Create((ushort)'\\'));
                if (special != Vector128<ushort>.Zero)
                {
                    break;
                }

                BinaryPrimitives.WriteUInt64LittleEndian(target[i..], Vector128.Narrow(v, v).AsUInt64().ToScalar());
                if (i == last)
                {
                    return source.Length;
                }

                i = Math.Min(i + Vector128<ushort>.Count, last);
            }
        }

        for (; i < source.Length && IsPlain(source[i]); i++)
        {
            target[i] = (byte)source[i];
        }

        return i;
    }

    private static bool IsPlain(ushort c) => c is >= 0x20 and <= 0x7e && c != '"' && c != '\\';

    private static int Escape(scoped ReadOnlySpan<char> text, int i, Span<byte> target, int budget)
    {
        var w = i;
        for (; i < text.Length; i++)
        {
            if (w >= budget)
            {
                "[truncated]"u8.CopyTo(target[w..]);
                return w + "[truncated]".Length;
            }

            var c = text[i];
            if (IsPlain(c))
            {
                target[w++] = (byte)c;
            }
            else if (c is '"' or '\\')
            {
                target[w++] = (byte)'\\';
                target[w++] = (byte)c;
            }
            else if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                w += Unicode(c, target[w..]);
                w += Unicode(text[++i], target[w..]);
            }
            else
            {
                // Half of a surrogate pair is no character; strict parsers refuse it.
                w += Unicode(char.IsSurrogate(c) ? '\uFFFD' : c, target[w..]);
            }
        }

        return w;
    }

    private static int Unicode(char c, Span<byte> target)
    {
        var digits = "0123456789abcdef"u8;
        target[5] = digits[c & 15];
        target[4] = digits[(c >> 4) & 15];
        target[3] = digits[(c >> 8) & 15];
        target[2] = digits[c >> 12];
        target[1] = (byte)'u';
        target[0] = (byte)'\\';
        return 6;
    }
}
