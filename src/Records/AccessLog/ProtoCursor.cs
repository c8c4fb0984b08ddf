using System;
using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Postern.Records.AccessLog;

/// <summary>
/// Writes protobuf fields into a span, forward only. The caller asks for a field's size first and keeps within the span.
/// Text arrives as Latin-1, one char per wire byte. proto3 strings must be UTF-8 or the agent (Go) refuses the whole entry, so: bytes that are
/// valid UTF-8 go out as they came in, others are transcoded from Latin-1.
/// </summary>
internal ref struct ProtoCursor(Span<byte> buffer)
{
    private readonly Span<byte> buffer = buffer;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; set; }

    /// <summary>Bytes of a varint.</summary>
    public static int VarintSize(ulong value)
    {
        var size = 1;
        while (value >= 0x80)
        {
            value >>= 7;
            size++;
        }

        return size;
    }

    /// <summary>Bytes of the text on the wire, without tag and length.</summary>
    public static int TextSize(ReadOnlySpan<char> text)
    {
        if (Ascii.IsValid(text))
        {
            return text.Length;
        }

        return IsUtf8(text) ? text.Length : Encoding.UTF8.GetByteCount(text);
    }

    public void Varint(ulong value)
    {
        while (value >= 0x80)
        {
            buffer[Length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        buffer[Length++] = (byte)value;
    }

    /// <summary>A varint field; 0 is proto3's default and not written.</summary>
    public void Number(int field, ulong value)
    {
        if (value != 0)
        {
            Varint((uint)field << 3);
            Varint(value);
        }
    }

    /// <summary>Tag and length of a length-delimited field.</summary>
    public void Head(int field, int size)
    {
        Varint(((uint)field << 3) | 2);
        Varint((uint)size);
    }

    /// <summary>Text bytes only, <see cref="TextSize"/> of them.</summary>
    public void Text(ReadOnlySpan<char> text)
    {
        var target = buffer[Length..];
        if (Ascii.FromUtf16(text, target, out var written) != OperationStatus.Done)
        {
            written = IsUtf8(text) ? Encoding.Latin1.GetBytes(text, target) : Encoding.UTF8.GetBytes(text, target);
        }

        Length += written;
    }

    /// <summary>As <see cref="Text"/>, ASCII letters made small: Envoy's header names are.</summary>
    public void LowerText(ReadOnlySpan<char> text)
    {
        if (Ascii.ToLower(text, buffer[Length..], out var written) == OperationStatus.Done)
        {
            Length += written;
            return;
        }

        var start = Length;
        Text(text);
        Ascii.ToLowerInPlace(buffer[start..Length], out _);
        for (var i = start; i < Length; i++)
        {
            // ToLowerInPlace stops at the first byte that is not ASCII.
            if (buffer[i] is >= (byte)'A' and <= (byte)'Z')
            {
                buffer[i] |= 0x20;
            }
        }
    }

    /// <summary>A string field; empty is proto3's default and not written. Cut to <paramref name="budget"/> bytes of text, then it ends in "...".</summary>
    /// <returns>True when it was cut.</returns>
    public bool String(int field, ReadOnlySpan<char> text, int budget)
    {
        if (text.IsEmpty)
        {
            return false;
        }

        var size = TextSize(text);
        if (size <= budget)
        {
            Head(field, size);
            Text(text);
            return false;
        }

        // A cut through a multi-byte character would make invalid UTF-8, which then counts (and goes out) as Latin-1: step back out of it.
        const string more = "...";
        var keep = Math.Max(0, budget - more.Length);
        var multiByte = IsUtf8(text);
        var cut = text[..Math.Min(text.Length, keep)];
        while (TextSize(cut) > keep || (multiByte && !IsUtf8(cut)))
        {
            cut = cut[..(cut.Length - Math.Max(1, multiByte ? 1 : (TextSize(cut) - keep) / 2))];
        }

        Head(field, TextSize(cut) + more.Length);
        Text(cut);
        Text(more);
        return true;
    }

    private static bool IsUtf8(ReadOnlySpan<char> text)
    {
        const int piece = 1024;
        Span<byte> bytes = stackalloc byte[piece];
        while (!text.IsEmpty)
        {
            // A piece may end inside a character: step back to the last byte that starts one.
            var take = Math.Min(piece, text.Length);
            for (var back = 0; take < text.Length && back < 3 && (text[take] & 0xC0) == 0x80; back++)
            {
                take--;
            }

            if (text[..take].ContainsAnyExceptInRange('\0', '\u00ff'))
            {
                return false; // not wire text: real characters, to be encoded
            }

            Encoding.Latin1.GetBytes(text[..take], bytes);
            if (!Utf8.IsValid(bytes[..take]))
            {
                return false;
            }

            text = text[take..];
        }

        return true;
    }
}
