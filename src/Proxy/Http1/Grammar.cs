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

    /// <summary>A field name of HTTP/2: a token without upper case (RFC 9113 §8.2.1).</summary>
    public static readonly SearchValues<byte> LowerTokenBytes = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"u8);

    /// <summary><see cref="TokenBytes"/> of text.</summary>
    public static readonly SearchValues<char> TokenChars = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    public static bool IsToken(ReadOnlySpan<byte> span) => span.Length > 0 && !span.ContainsAnyExcept(TokenBytes);

    /// <summary>Whether it may stand as a target, or a part of one. An encoded NUL never means well.</summary>
    public static bool IsTarget(ReadOnlySpan<byte> span) => !span.ContainsAnyExcept(TargetBytes) && span.IndexOf("%00"u8) < 0;

    /// <summary>Whether it may stand in a field line: what <see cref="InvalidValueBytes"/> leaves of Latin-1.</summary>
    public static bool IsValue(ReadOnlySpan<char> span)
    {
        if (!span.ContainsAnyExceptInRange(' ', '~'))
        {
            return true;
        }
        foreach (var c in span)
        {
            if ((c < ' ' && c != '\t') || c is '\x7F' or > '\xFF')
            {
                return false;
            }
        }
        return true;
    }

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
