using System;

namespace Postern.Proxy.Http1;

/// <summary>
/// Response head parser: as strict about framing as the request side (a response that two parsers read differently can be used to poison a
/// connection), but tolerant of an empty or missing reason phrase.
/// </summary>
internal static class ResponseParser
{
    /// <summary>Parses a whole head, including the empty line that ends it.</summary>
    public static Http1Error Parse(ReadOnlySpan<byte> bytes, ResponseHead head, int maxHeaders)
    {
        var lineEnd = RequestParser.FindLineEnd(bytes, out var error);
        if (error != Http1Error.None)
        {
            return error;
        }
        var line = bytes[..lineEnd];
        if (line.Length < 12 || !line.StartsWith("HTTP/1."u8) || line[7] is not ((byte)'0' or (byte)'1') || line[8] != ' '
            || (line.Length > 12 && line[12] != ' ') || line.ContainsAny(Grammar.InvalidValueBytes)
            || !RequestParser.TryParseLength(line.Slice(9, 3), out var status) || status < 100)
        {
            return Http1Error.InvalidStatusLine;
        }
        head.Reset(bytes, (int)status, line[7] == '0', line.Length);
        var position = lineEnd + 2;
        var framing = new Framing();
        while (true)
        {
            var rest = bytes[position..];
            var length = RequestParser.FindLineEnd(rest, out error);
            if (error != Http1Error.None)
            {
                return error;
            }
            if (length == 0)
            {
                break;
            }
            if (head.Count == maxHeaders)
            {
                return Http1Error.TooManyHeaders;
            }
            error = ParseField(rest[..length], position, head, ref framing);
            if (error != Http1Error.None)
            {
                return error;
            }
            position += length + 2;
        }
        if (head.IsChunked && head.ContentLength >= 0)
        {
            return Http1Error.ContentLengthWithTransferEncoding;
        }
        if (head.IsChunked && head.IsHttp10)
        {
            return Http1Error.TransferEncodingInHttp10;
        }
        if (framing.SawKeepAlive && head.IsHttp10)
        {
            head.WillClose = false;
        }
        if (framing.SawClose)
        {
            head.WillClose = true;
        }
        HopByHop.Strip(head);
        return Http1Error.None;
    }

    private static Http1Error ParseField(ReadOnlySpan<byte> line, int position, ResponseHead head, ref Framing framing)
    {
        if (line[0] is (byte)' ' or (byte)'\t')
        {
            return Http1Error.ObsoleteLineFolding;
        }
        var colon = line.IndexOf((byte)':');
        if (colon <= 0 || !Grammar.IsToken(line[..colon]))
        {
            return Http1Error.InvalidHeaderName;
        }
        var value = line[(colon + 1)..];
        if (value.ContainsAny(Grammar.InvalidValueBytes))
        {
            return Http1Error.InvalidHeaderValue;
        }
        var trimmed = value.TrimStart(" \t"u8);
        var valueStart = position + colon + 1 + value.Length - trimmed.Length;
        trimmed = trimmed.TrimEnd(" \t"u8);
        var error = framing.Note(line[..colon], trimmed, head);
        if (error == Http1Error.None)
        {
            head.AddField(position, colon, valueStart, trimmed.Length);
        }
        return error;
    }

    private ref struct Framing
    {
        public bool SawClose;
        public bool SawKeepAlive;
        private bool sawTransferEncoding;

        public Http1Error Note(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ResponseHead head)
        {
            switch (name.Length)
            {
                case 14 when Grammar.EqualsIgnoreCase(name, "content-length"u8):
                    if (head.ContentLength >= 0)
                    {
                        return Http1Error.DuplicateContentLength;
                    }
                    if (!RequestParser.TryParseLength(value, out var length))
                    {
                        return Http1Error.InvalidContentLength;
                    }
                    head.ContentLength = length;
                    return Http1Error.None;
                case 17 when Grammar.EqualsIgnoreCase(name, "transfer-encoding"u8):
                    if (sawTransferEncoding || !Grammar.EqualsIgnoreCase(value, "chunked"u8))
                    {
                        return Http1Error.UnsupportedTransferEncoding;
                    }
                    sawTransferEncoding = head.IsChunked = true;
                    return Http1Error.None;
                case 10 when Grammar.EqualsIgnoreCase(name, "connection"u8):
                    foreach (var range in System.MemoryExtensions.Split(value, (byte)','))
                    {
                        var token = Grammar.TrimOws(value[range]);
                        SawClose |= Grammar.EqualsIgnoreCase(token, "close"u8);
                        SawKeepAlive |= Grammar.EqualsIgnoreCase(token, "keep-alive"u8);
                    }
                    return Http1Error.None;
                default:
                    return Http1Error.None;
            }
        }
    }
}
