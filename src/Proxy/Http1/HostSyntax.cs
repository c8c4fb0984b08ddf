using System;

namespace Postern.Proxy.Http1;

/// <summary>What may say who is asked: Host, <c>:authority</c>, the target of CONNECT. Never userinfo (RFC 9110 §4.2.4).</summary>
internal static class HostSyntax
{
    /// <summary>uri-host [":" port] (RFC 9110 §7.2), never empty.</summary>
    public static bool IsHost(ReadOnlySpan<byte> value)
    {
        if (value.ContainsAnyExcept(Grammar.HostBytes))
        {
            return false;
        }
        var colon = value.LastIndexOf((byte)':');
        if (value.Length == 0 || colon == 0)
        {
            return false; // an http URI always names a host (RFC 9110 §4.2.1); a rule on :authority must not meet nothing
        }
        if (value[0] == '[')
        {
            var close = value.IndexOf((byte)']');
            return close > 1 && (close == value.Length - 1 || (close == colon - 1 && IsPort(value[(colon + 1)..])));
        }
        return !value.ContainsAny((byte)'[', (byte)']')
            && (colon < 0 || (value.IndexOf((byte)':') == colon && IsPort(value[(colon + 1)..])));
    }

    /// <summary>Whether a host, known to be one, comes with its port: there is none to fall back on for CONNECT (RFC 9110 §9.3.6).</summary>
    public static bool HasPort(ReadOnlySpan<char> host) => char.IsAsciiDigit(host[^1]) && host.LastIndexOf(':') > host.LastIndexOf(']');

    private static bool IsPort(ReadOnlySpan<byte> digits) => digits.Length <= 5 && !digits.ContainsAnyExceptInRange((byte)'0', (byte)'9');
}
