using System;
using System.Text;

namespace Postern.Filters.Network.WebSocket;

/// <summary>
/// Gathers and reads the head of a handshake: HTTP/1.1 (RFC 9112), strictly. Lines end in CRLF, names are tokens without "_", values have neither control
/// characters nor line folds.
/// </summary>
public sealed class HandshakeReader(bool response)
{
    private readonly byte[] bytes = new byte[WebSocketOptions.MaxHandshake];
    private int length;

    /// <summary>The head; valid when <see cref="Read"/> said <see cref="HandshakeError.None"/>.</summary>
    public HandshakeHead Head { get; } = new();

    private ReadOnlySpan<byte> Prefix => response ? "HTTP/1.1 "u8 : "GET "u8;

    /// <summary>Reads more bytes.</summary>
    /// <param name="input">Moved past the head; what follows it is left.</param>
    public HandshakeError Read(ref ReadOnlySpan<byte> input)
    {
        var before = length;
        var count = Math.Min(bytes.Length - length, input.Length);
        input[..count].CopyTo(bytes.AsSpan(length));
        length += count;
        var seen = bytes.AsSpan(0, length);
        var prefix = Math.Min(Prefix.Length, length);
        if (!seen[..prefix].SequenceEqual(Prefix[..prefix]))
        {
            // Another version of HTTP is told apart from what is no HTTP at all, once there is enough of it.
            return response && length >= 5 && seen.StartsWith("HTTP/"u8) ? HandshakeError.Version : HandshakeError.NotHttp;
        }
        var end = seen.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            input = default;
            return length == bytes.Length ? HandshakeError.TooLarge : HandshakeError.Incomplete;
        }
        input = input[(end + 4 - before)..];
        return Parse(seen[..(end + 2)]);
    }

    private HandshakeError Parse(ReadOnlySpan<byte> head)
    {
        var first = true;
        while (head.Length > 0)
        {
            var end = head.IndexOf("\r\n"u8);
            var line = head[..end];
            head = head[(end + 2)..];
            foreach (var b in line)
            {
                if (b is < 0x20 and not (byte)'\t' or 0x7f)
                {
                    return HandshakeError.Malformed; // bare CR and LF too
                }
            }
            var error = first ? (response ? StatusLine(line) : RequestLine(line)) : FieldLine(line);
            if (error != HandshakeError.None)
            {
                return error;
            }
            first = false;
        }
        return HandshakeError.None;
    }

    private HandshakeError RequestLine(ReadOnlySpan<byte> line)
    {
        var rest = line[4..];
        var space = rest.IndexOf((byte)' ');
        if (space <= 0 || rest[(space + 1)..].IndexOf((byte)' ') >= 0 || rest[..space].ContainsAnyExceptInRange((byte)0x21, (byte)0x7e))
        {
            return HandshakeError.Malformed;
        }
        Head.RequestMethod = "GET";
        Head.Target = Encoding.Latin1.GetString(rest[..space]);
        return rest[(space + 1)..].SequenceEqual("HTTP/1.1"u8) ? HandshakeError.None : HandshakeError.Version;
    }

    private HandshakeError StatusLine(ReadOnlySpan<byte> line)
    {
        var rest = line["HTTP/1.1 ".Length..];
        if (rest.Length < 3 || (rest.Length > 3 && rest[3] != ' ') || rest[..3].ContainsAnyExceptInRange((byte)'0', (byte)'9') || rest[0] == '0')
        {
            return HandshakeError.Malformed;
        }
        Head.Status = ((rest[0] - '0') * 100) + ((rest[1] - '0') * 10) + rest[2] - '0';
        return HandshakeError.None;
    }

    private HandshakeError FieldLine(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (colon <= 0)
        {
            return HandshakeError.Malformed;
        }
        foreach (var b in line[..colon])
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && !"!#$%&'*+-.^`|~"u8.Contains(b))
            {
                return HandshakeError.Malformed; // a token, without "_": it may mean "-" to somebody behind
            }
        }
        Head.AppendHeader(Encoding.Latin1.GetString(line[..colon]), Encoding.Latin1.GetString(line[(colon + 1)..].Trim(" \t"u8)));
        return HandshakeError.None;
    }
}
