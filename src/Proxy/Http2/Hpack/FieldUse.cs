using System;

namespace Postern.Proxy.Http2.Hpack;

/// <summary>How the encoder treats a field (RFC 7541 §6.2).</summary>
internal enum FieldUse
{
    Indexed,
    NotIndexed,
    NeverIndexed,
}

/// <summary>Which field is treated how.</summary>
internal static class FieldUses
{
    private const int ShortCookie = 20; // bytes: what can be guessed byte by byte against the compression (RFC 7541 §7.1.3)
    private const int LongPath = 128;

    /// <param name="known">First entry of the name in the static table, or 0.</param>
    public static FieldUse Of(int known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => known switch
    {
        23 or 49 or 55 => FieldUse.NeverIndexed, // authorization, proxy-authorization, set-cookie
        32 => value.Length < ShortCookie ? FieldUse.NeverIndexed : FieldUse.Indexed, // cookie
        4 => value.Length > LongPath || value.Contains((byte)'?') ? FieldUse.NotIndexed : FieldUse.Indexed, // :path; those of gRPC methods repeat
        21 or 28 or 30 or 34 or 40 or 41 or 44 or 46 or 50 => FieldUse.NotIndexed, // age, content-length, content-range, etag, if-…-since, if-none-match, last-modified, location, range
        0 when IsUnique(name) => FieldUse.NotIndexed,
        _ => FieldUse.Indexed,
    };

    // Another value in each message: an entry would only drive out one that repeats.
    private static bool IsUnique(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("x-request-id"u8) || name.SequenceEqual("traceparent"u8) || name.SequenceEqual("grpc-timeout"u8) || name.SequenceEqual("grpc-message"u8);
}
