using System;

namespace Postern.Proxy.Http1;

/// <summary>
/// Walks over the field lines of a head (RFC 9112 §5), strictly: CRLF only, no folding, a token right before the colon, no controls in the
/// value. Requests and responses are read by the same rules.
/// </summary>
internal ref struct FieldLineReader(ReadOnlySpan<byte> head, int position, int maxLines, int maxNameLength)
{
    private readonly ReadOnlySpan<byte> head = head;
    private int position = position; // of the next line
    private int lines;

    /// <summary>Why <see cref="Next"/> said no; none at the empty line that ends the head.</summary>
    public Http1Error Error { get; private set; }

    public int NameStart { get; private set; }

    public ReadOnlySpan<byte> Name { get; private set; }

    public int ValueStart { get; private set; }

    /// <summary>Without surrounding white space.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Goes to the next line.</summary>
    public bool Next()
    {
        var rest = head[position..];
        var length = FindLineEnd(rest, out var error);
        Error = error;
        if (error != Http1Error.None || length == 0)
        {
            return false;
        }
        if (lines++ == maxLines)
        {
            Error = Http1Error.TooManyHeaders;
            return false;
        }
        Error = Split(rest[..length]);
        position += length + 2;
        return Error == Http1Error.None;
    }

    /// <summary>Length of the line before its CRLF. A CR or LF on its own is an error (RFC 9112 §2.2).</summary>
    public static int FindLineEnd(ReadOnlySpan<byte> bytes, out Http1Error error)
    {
        var at = bytes.IndexOfAny((byte)'\r', (byte)'\n');
        if (at < 0 || at + 1 >= bytes.Length)
        {
            error = Http1Error.InvalidRequestLine;
            return 0;
        }
        error = bytes[at] == '\n' ? Http1Error.BareLineFeed : bytes[at + 1] != '\n' ? Http1Error.BareCarriageReturn : Http1Error.None;
        return at;
    }

    private Http1Error Split(ReadOnlySpan<byte> line)
    {
        if (line[0] is (byte)' ' or (byte)'\t')
        {
            return Http1Error.ObsoleteLineFolding;
        }
        var colon = line.IndexOf((byte)':');
        if (colon <= 0 || colon > maxNameLength || !Grammar.IsToken(line[..colon]))
        {
            return Http1Error.InvalidHeaderName; // also white space before the colon (RFC 9112 §5.1)
        }
        var value = line[(colon + 1)..];
        if (value.ContainsAny(Grammar.InvalidValueBytes))
        {
            return Http1Error.InvalidHeaderValue;
        }
        var trimmed = value.TrimStart(" \t"u8);
        NameStart = position;
        Name = line[..colon];
        ValueStart = position + colon + 1 + value.Length - trimmed.Length;
        Value = trimmed.TrimEnd(" \t"u8);
        return Http1Error.None;
    }
}
