using System;
using System.Buffers;

namespace Postern.Proxy.Http1;

/// <summary>Character classes of RFC 9110 and RFC 9112, as vectorised searches.</summary>
internal static class Grammar
{
    /// <summary>tchar (RFC 9110 §5.6.2).</summary>
    public static readonly SearchValues<byte> TokenBytes = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>Anything that may not stand in a field value: all controls but HTAB (RFC 9110 §5.5).</summary>
    public static readonly SearchValues<byte> InvalidValueBytes = SearchValues.Create(Controls());

    /// <summary>What may stand in a request target: VCHAR without '#', which never belongs on the wire (RFC 9112 §3.2).</summary>
    public static readonly SearchValues<byte> TargetBytes = SearchValues.Create("!\"$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>reg-name, IP literals and port (RFC 3986 §3.2.2), without userinfo.</summary>
    public static readonly SearchValues<byte> HostBytes = SearchValues.Create("-._~!$&'()*+,;=%:[]0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    public static bool IsToken(ReadOnlySpan<byte> span) => span.Length > 0 && !span.ContainsAnyExcept(TokenBytes);

    public static ReadOnlySpan<byte> TrimOws(ReadOnlySpan<byte> span) => span.Trim(" \t"u8);

    public static bool EqualsIgnoreCase(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) => System.Text.Ascii.EqualsIgnoreCase(left, right);

    private static byte[] Controls()
    {
        var bytes = new byte[32];
        var n = 0;
        for (var b = 0; b < 32; b++)
        {
            if (b != '\t')
            {
                bytes[n++] = (byte)b;
            }
        }
        bytes[n] = 0x7F;
        return bytes;
    }
}
