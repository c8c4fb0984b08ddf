using System;

namespace Postern.Proxy.Http2;

/// <summary>
/// Fields that speak about one HTTP/1 connection. In HTTP/2 they make a message malformed (RFC 9113 §8.2.2), so they are refused on the way in and never
/// written. HTTP2-Settings is one of them: it only means something beside Upgrade.
/// </summary>
internal static class ConnectionFields
{
    /// <summary>Of a name in lower case.</summary>
    public static bool Contains(ReadOnlySpan<byte> name) => name.Length switch
    {
        7 => name.SequenceEqual("upgrade"u8),
        10 => name.SequenceEqual("connection"u8) || name.SequenceEqual("keep-alive"u8),
        14 => name.SequenceEqual("http2-settings"u8),
        16 => name.SequenceEqual("proxy-connection"u8),
        17 => name.SequenceEqual("transfer-encoding"u8),
        _ => false,
    };

    /// <summary>Of a name in any case.</summary>
    public static bool Contains(ReadOnlySpan<char> name) => name.Length switch
    {
        7 => Is(name, "upgrade"),
        10 => Is(name, "connection") || Is(name, "keep-alive"),
        14 => Is(name, "http2-settings"),
        16 => Is(name, "proxy-connection"),
        17 => Is(name, "transfer-encoding"),
        _ => false,
    };

    private static bool Is(ReadOnlySpan<char> name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
}
