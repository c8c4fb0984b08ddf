using System;

namespace Postern.Proxy.Http1;

/// <summary>Fields that may not stand in a trailer section (RFC 9110 §6.5.1): those that frame, route, authenticate or modify the message, and those that say how to read it.</summary>
internal static class ForbiddenTrailers
{
    private static readonly string[] Names =
    [
        "te", "age", "date", "host", "vary", "range", "cookie", "expect", "upgrade", "trailer", "expires", "if-match", "if-range", "location", "set-cookie", "connection", "keep-alive",
        "retry-after", "content-type", "max-forwards", "authorization", "cache-control", "content-range", "if-none-match", "content-length", "x-forwarded-for", "proxy-connection",
        "content-encoding", "www-authenticate", "if-modified-since", "transfer-encoding", "x-forwarded-proto", "proxy-authenticate", "if-unmodified-since", "proxy-authorization",
    ];

    /// <summary>Whether it is one, whatever its case.</summary>
    public static bool Contains(ReadOnlySpan<byte> name)
    {
        foreach (var forbidden in Names)
        {
            if (forbidden.Length == name.Length && System.Text.Ascii.EqualsIgnoreCase(name, forbidden))
            {
                return true;
            }
        }
        return false;
    }
}
