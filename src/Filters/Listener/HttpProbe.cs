using System;

namespace Postern.Filters.Listener;

/// <summary>
/// <c>envoy.filters.listener.http_inspector</c>: tells HTTP/1.x and the HTTP/2 preface (RFC 9113 §3.4) from anything else by the first line's start.
/// </summary>
public static class HttpProbe
{
    private const int MaxMethod = 32; // longest method we would call one; registered methods reach 17 (UPDATEREDIRECTREF)

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Looks at all bytes received so far.</summary>
    /// <param name="bytes">From the first byte of the connection.</param>
    /// <param name="protocol">"http/1.1" (also for 1.0) or "h2c" on <see cref="PeekResult.Match"/>, the names Envoy gives.</param>
    public static PeekResult TryRead(ReadOnlySpan<byte> bytes, out string protocol)
    {
        protocol = "";
        var compared = Math.Min(bytes.Length, Preface.Length);
        if (bytes[..compared].SequenceEqual(Preface[..compared]))
        {
            if (compared < Preface.Length)
            {
                return PeekResult.NeedMore;
            }
            protocol = "h2c";
            return PeekResult.Match;
        }
        for (var i = 0; i < bytes.Length; i++)
        {
            var b = bytes[i];
            if (b == (byte)' ')
            {
                if (i == 0)
                {
                    return PeekResult.NoMatch;
                }
                protocol = "http/1.1";
                return PeekResult.Match;
            }
            if (i == MaxMethod || b is not ((>= (byte)'A' and <= (byte)'Z') or (>= (byte)'a' and <= (byte)'z') or (byte)'-' or (byte)'_' or (>= (byte)'0' and <= (byte)'9')))
            {
                return PeekResult.NoMatch;
            }
        }
        return PeekResult.NeedMore;
    }
}
