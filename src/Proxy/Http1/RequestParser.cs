using System;
using Postern.Records;

namespace Postern.Proxy.Http1;

/// <summary>
/// Strict HTTP/1 request head parser: bytes in, a <see cref="RequestHead"/> or an error out. It refuses everything that two parsers could
/// read differently (RFC 9112 §11.2): that is what keeps the verdict and the upstream talking about the same request.
/// Kestrel behind it never sees a head that this did not accept.
/// </summary>
internal static class RequestParser
{
    /// <summary>Most characters of a method, in any version.</summary>
    internal const int MaxMethod = 32;

    /// <summary>Most characters of a request field's name, in any version.</summary>
    internal const int MaxHeaderName = 256;

    private const int MaxContentLengthDigits = 18; // fits a long with room

    /// <summary>Parses a whole head, including the empty line that ends it.</summary>
    /// <param name="bytes">From the method's first byte to the final CRLF.</param>
    /// <param name="head">Filled on success; undefined on error.</param>
    /// <param name="maxHeaders">Most header lines.</param>
    public static Http1Error Parse(ReadOnlySpan<byte> bytes, RequestHead head, int maxHeaders)
    {
        head.Reset(bytes);
        var lineEnd = FieldLineReader.FindLineEnd(bytes, out var error);
        if (error != Http1Error.None)
        {
            return error;
        }
        error = ParseRequestLine(bytes[..lineEnd], head);
        if (error != Http1Error.None)
        {
            return error;
        }
        var fields = new FieldChecks();
        var reader = new FieldLineReader(bytes, lineEnd + 2, maxHeaders, MaxHeaderName);
        while (reader.Next())
        {
            error = fields.Note(reader.Name, reader.Value, reader.ValueStart, head);
            if (error != Http1Error.None)
            {
                return error;
            }
            head.AddField(reader.NameStart, reader.Name.Length, reader.ValueStart, reader.Value.Length);
        }
        return reader.Error != Http1Error.None ? reader.Error : Finish(bytes, head, fields);
    }

    private static Http1Error ParseRequestLine(ReadOnlySpan<byte> line, RequestHead head)
    {
        var methodLength = line.IndexOf((byte)' ');
        if (methodLength <= 0)
        {
            return Http1Error.InvalidRequestLine;
        }
        if (methodLength > MaxMethod || !Grammar.IsToken(line[..methodLength]))
        {
            return Http1Error.InvalidMethod;
        }
        var rest = line[(methodLength + 1)..];
        var targetLength = rest.IndexOf((byte)' ');
        if (targetLength <= 0)
        {
            return Http1Error.InvalidRequestLine;
        }
        var version = rest[(targetLength + 1)..];
        if (version.Length != 8 || !version.StartsWith("HTTP/"u8) || version[6] != '.')
        {
            return Http1Error.InvalidRequestLine;
        }
        if (version[5] != '1' || version[7] is not ((byte)'0' or (byte)'1'))
        {
            return Http1Error.UnsupportedVersion;
        }
        head.Version = version[7] == '1' ? HttpProtocol.Http11 : HttpProtocol.Http10;
        return ParseTarget(rest[..targetLength], line[..methodLength], head);
    }

    private static Http1Error ParseTarget(ReadOnlySpan<byte> target, ReadOnlySpan<byte> method, RequestHead head)
    {
        var start = method.Length + 1;
        if (!Grammar.IsTarget(target))
        {
            return Http1Error.InvalidTarget;
        }
        if (target[0] == '/')
        {
            head.SetRequestLine(method.Length, start, target.Length, start, target.Length);
            return Http1Error.None;
        }
        if (method.SequenceEqual("CONNECT"u8))
        {
            head.SetAuthority(start, target.Length); // authority-form (RFC 9112 §3.2.3)
            head.SetRequestLine(method.Length, start, target.Length, start, 0);
            return target.ContainsAnyExcept(Grammar.HostBytes) ? Http1Error.InvalidTarget : Http1Error.None;
        }
        if (target.SequenceEqual("*"u8) && method.SequenceEqual("OPTIONS"u8))
        {
            head.SetRequestLine(method.Length, start, 1, start, 1);
            return Http1Error.None;
        }
        return ParseAbsoluteTarget(target, start, head);
    }

    // absolute-form (RFC 9112 §3.2.2): its authority must be what Host says, or the two would disagree about who is asked.
    private static Http1Error ParseAbsoluteTarget(ReadOnlySpan<byte> target, int start, RequestHead head)
    {
        var scheme = "http://"u8.Length;
        if (target.Length <= scheme || !Grammar.EqualsIgnoreCase(target[..scheme], "http://"u8))
        {
            return Http1Error.InvalidTarget;
        }
        var after = target[scheme..];
        var end = after.IndexOfAny((byte)'/', (byte)'?');
        if (end < 0)
        {
            end = after.Length;
        }
        if (end == 0 || after[..end].ContainsAnyExcept(Grammar.HostBytes) || (end < after.Length && after[end] == '?'))
        {
            return Http1Error.InvalidTarget;
        }
        head.SetAuthority(start + scheme, end);
        head.SetRequestLine(start - 1, start, target.Length, start + scheme + end, target.Length - scheme - end);
        return Http1Error.None;
    }

    private static Http1Error Finish(ReadOnlySpan<byte> bytes, RequestHead head, FieldChecks checks)
    {
        if (checks.HostCount == 0 && head.Version == HttpProtocol.Http11)
        {
            return Http1Error.MissingHost;
        }
        if (head.AuthorityLength == 0)
        {
            head.SetAuthority(checks.HostStart, checks.HostLength);
        }
        else if (checks.HostCount > 0
            && !Grammar.EqualsIgnoreCase(bytes.Slice(head.AuthorityStart, head.AuthorityLength), bytes.Slice(checks.HostStart, checks.HostLength)))
        {
            return Http1Error.HostMismatch;
        }
        if (checks.TransferEncodingCount > 0)
        {
            if (head.ContentLength >= 0)
            {
                return Http1Error.ContentLengthWithTransferEncoding;
            }
            if (head.Version == HttpProtocol.Http10)
            {
                return Http1Error.TransferEncodingInHttp10;
            }
            head.IsChunked = true;
        }
        return HopByHop.Strip(head);
    }

    /// <summary>What has been seen so far of the fields that decide framing and authority.</summary>
    private ref struct FieldChecks
    {
        public int HostCount;
        public int HostStart;
        public int HostLength;
        public int TransferEncodingCount;

        public Http1Error Note(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int valueStart, RequestHead head)
        {
            switch (name.Length)
            {
                case 4 when Grammar.EqualsIgnoreCase(name, "host"u8):
                    if (HostCount++ > 0)
                    {
                        return Http1Error.DuplicateHost;
                    }
                    (HostStart, HostLength) = (valueStart, value.Length);
                    return HostSyntax.IsHost(value) ? Http1Error.None : Http1Error.InvalidHost;
                case 14 when Grammar.EqualsIgnoreCase(name, "content-length"u8):
                    if (head.ContentLength >= 0)
                    {
                        return Http1Error.DuplicateContentLength;
                    }
                    return TryParseLength(value, out var length) ? Set(head, length) : Http1Error.InvalidContentLength;
                case 17 when Grammar.EqualsIgnoreCase(name, "transfer-encoding"u8):
                    return TransferEncodingCount++ > 0 || !Grammar.EqualsIgnoreCase(value, "chunked"u8)
                        ? Http1Error.UnsupportedTransferEncoding
                        : Http1Error.None;
                default:
                    return Http1Error.None;
            }
        }

        private static Http1Error Set(RequestHead head, long length)
        {
            head.ContentLength = length;
            return Http1Error.None;
        }
    }

    /// <summary>Digits only: no sign, no white space, no list (RFC 9110 §8.6).</summary>
    internal static bool TryParseLength(ReadOnlySpan<byte> value, out long length)
    {
        length = 0;
        if (value.Length is 0 or > MaxContentLengthDigits)
        {
            return false;
        }
        foreach (var b in value)
        {
            if (b is < (byte)'0' or > (byte)'9')
            {
                return false;
            }
            length = (length * 10) + (b - '0');
        }
        return true;
    }
}
