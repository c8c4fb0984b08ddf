using System;

namespace Postern.Proxy.Http2;

/// <summary>The bytes by which a client that knows says that it speaks HTTP/2 (RFC 9113 §3.4).</summary>
internal static class Http2Preface
{
    private const int Telling = 3; // "PRI": no method of HTTP/1 that anybody uses begins so

    private static ReadOnlySpan<byte> Text => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Whether received bytes are the preface, or may become it.</summary>
    public static PrefaceMatch Look(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= Text.Length)
        {
            return bytes.StartsWith(Text) ? PrefaceMatch.Whole : PrefaceMatch.No;
        }
        return bytes.Length >= Telling && Text.StartsWith(bytes) ? PrefaceMatch.Part : PrefaceMatch.No;
    }
}

/// <summary>What <see cref="Http2Preface.Look"/> found.</summary>
internal enum PrefaceMatch
{
    /// <summary>Something else, or too little to say.</summary>
    No,

    /// <summary>Its beginning.</summary>
    Part,

    /// <summary>All of it.</summary>
    Whole,
}
