using System;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Proxy.Http2;

/// <summary>
/// Writes heads and trailers as header blocks, with the lines in their order. Each method returns where the block ends in the buffer, or -1 when a line holds
/// what may not be sent (a secret with a line break in it); nothing has been encoded then. A block that was written must be sent, and before the next is written:
/// the peer's table follows the encoder's.
/// </summary>
internal static class HeadWriter
{
    /// <summary>A request; an extended CONNECT (RFC 8441) where the head asks for a protocol.</summary>
    public static int WriteRequest(HpackEncoder encoder, RequestHead head, ref byte[] buffer, int at)
    {
        var path = PathOf(head);
        if (!Grammar.IsValue(head.Method) || !Grammar.IsValue(path) || !Grammar.IsValue(head.Authority) || !AreSendable(head))
        {
            return -1;
        }
        var extended = head.UpgradeProtocol.Length > 0;
        at = encoder.Begin(ref buffer, at);
        at = encoder.Encode(":method", extended ? "CONNECT" : head.Method, ref buffer, at);
        if (extended)
        {
            at = encoder.Encode(":protocol", head.UpgradeProtocol, ref buffer, at);
        }
        var target = extended || !head.IsConnect; // CONNECT itself has none (RFC 9113 §8.5)
        if (target)
        {
            at = encoder.Encode(":scheme", head.SchemeName, ref buffer, at);
        }
        if (!head.Authority.IsEmpty)
        {
            at = encoder.Encode(":authority", head.Authority, ref buffer, at);
        }
        if (target)
        {
            at = encoder.Encode(":path", path, ref buffer, at, head.IsPathNeverIndexed);
        }
        return WriteLines(encoder, head, isRequest: true, ref buffer, at);
    }

    /// <summary>A response, or an informational one.</summary>
    public static int WriteResponse(HpackEncoder encoder, ResponseHead head, ref byte[] buffer, int at)
    {
        if (!AreSendable(head))
        {
            return -1;
        }
        Span<char> status = stackalloc char[11];
        head.Status.TryFormat(status, out var digits);
        at = encoder.Begin(ref buffer, at);
        at = encoder.Encode(":status", status[..digits], ref buffer, at);
        return WriteLines(encoder, head, isRequest: false, ref buffer, at);
    }

    /// <summary>Trailers of either direction.</summary>
    public static int WriteTrailers(HpackEncoder encoder, HeaderBlock trailers, ref byte[] buffer, int at) =>
        AreSendable(trailers) ? WriteLines(encoder, trailers, isRequest: false, ref buffer, encoder.Begin(ref buffer, at)) : -1;

    // A rewritten target of an absolute form has its origin in front, as HTTP/1 sends it.
    private static ReadOnlySpan<char> PathOf(RequestHead head)
    {
        if (head.UpstreamTarget is not { } rewritten)
        {
            return head.Path;
        }
        var origin = head.TargetOrigin;
        return rewritten.AsSpan().StartsWith(origin, StringComparison.Ordinal) ? rewritten.AsSpan(origin.Length) : rewritten;
    }

    private static bool AreSendable(HeaderBlock lines)
    {
        for (var i = 0; i < lines.Count; i++)
        {
            var name = lines.NameAt(i);
            if (name.IsEmpty || name.ContainsAnyExcept(Grammar.TokenChars) || !Grammar.IsValue(lines.ValueAt(i)))
            {
                return false;
            }
        }
        return true;
    }

    private static int WriteLines(HpackEncoder encoder, HeaderBlock lines, bool isRequest, ref byte[] buffer, int at)
    {
        for (var i = 0; i < lines.Count; i++)
        {
            var name = lines.NameAt(i);
            var value = lines.ValueAt(i).Trim(" \t"); // an action's value may have some; a line of HTTP/1 would lose it, too
            if (!ConnectionFields.Contains(name) && !(isRequest && IsSaidOtherwise(name, value)) && !(!isRequest && Is(name, "te")))
            {
                at = encoder.Encode(name, value, ref buffer, at, lines.NeverIndexedAt(i));
            }
        }
        return at;
    }

    // Host is :authority; TE may only say that trailers are welcome (RFC 9113 §8.2.2).
    private static bool IsSaidOtherwise(ReadOnlySpan<char> name, ReadOnlySpan<char> value) => name.Length switch
    {
        2 => Is(name, "te") && !Is(value, "trailers"),
        4 => Is(name, "host"),
        _ => false,
    };

    private static bool Is(ReadOnlySpan<char> text, string other) => text.Equals(other, StringComparison.OrdinalIgnoreCase);
}
