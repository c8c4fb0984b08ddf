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
        var lineEnd = FieldLineReader.FindLineEnd(bytes, out var error);
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
        var framing = new Framing();
        var reader = new FieldLineReader(bytes, lineEnd + 2, maxHeaders, int.MaxValue);
        while (reader.Next())
        {
            error = framing.Note(reader.Name, reader.Value, head);
            if (error != Http1Error.None)
            {
                return error;
            }
            head.AddField(reader.NameStart, reader.Name.Length, reader.ValueStart, reader.Value.Length);
        }
        if (reader.Error != Http1Error.None)
        {
            return reader.Error;
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
