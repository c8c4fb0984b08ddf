using System;
using System.Collections.Frozen;

namespace Postern.Proxy.Http1;

/// <summary>
/// Fields that mean nothing, or harm, behind a body: what frames, routes, authenticates or steers a message must be known before its content
/// (RFC 9110 §6.5.1). A recipient that merges trailers into headers would act on what policy never judged.
/// </summary>
internal static class ForbiddenTrailers
{
    private static readonly FrozenSet<string> Names = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        [
            "content-length", "transfer-encoding", "trailer", "connection", "keep-alive", "proxy-connection", "upgrade", "te", "http2-settings", // framing
            "host", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", // routing, and who asks
            "authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate", "cookie", "set-cookie", // authentication
            "cache-control", "expect", "max-forwards", "pragma", "range", // request modifiers
            "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range",
            "age", "date", "expires", "location", "retry-after", "vary", "warning", // response controls
            "content-type", "content-encoding", "content-range", "content-language", "content-location", // content format
        ]);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Lookup = Names.GetAlternateLookup<ReadOnlySpan<char>>();

    private const int Longest = 32; // of the names

    /// <summary>Compared without case.</summary>
    public static bool Contains(ReadOnlySpan<char> name) => name.Length <= Longest && Lookup.Contains(name);

    /// <inheritdoc cref="Contains(ReadOnlySpan{char})"/>
    public static bool Contains(ReadOnlySpan<byte> name)
    {
        if (name.Length > Longest)
        {
            return false;
        }
        Span<char> text = stackalloc char[Longest];
        System.Text.Encoding.Latin1.GetChars(name, text);
        return Lookup.Contains(text[..name.Length]);
    }
}
