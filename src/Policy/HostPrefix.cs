using System;

namespace Postern.Policy;

/// <summary>
/// An address or CIDR of NetworkPolicyHosts. The address text is read as strictly as inet_pton reads it: four decimal octets without
/// leading zeros, or colon groups with at most one "::" and perhaps a dotted tail; no zone, no brackets, no short forms.
/// </summary>
internal readonly record struct HostPrefix(UInt128 Bits, int Length, HostFamily Family)
{
    private const int MappedPrefix = 96;

    /// <exception cref="PolicyConfigException">The text is no address or CIDR.</exception>
    public static HostPrefix Parse(string text, ulong policy)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var length = -1;
        if (slash >= 0 && !TryParseLength(text.AsSpan(slash + 1), out length))
        {
            throw new PolicyConfigException($"NetworkPolicyHosts: Invalid prefix length in '{text}'");
        }
        var address = slash < 0 ? text.AsSpan() : text.AsSpan(0, slash);
        HostFamily family;
        UInt128 bits;
        if (TryParseV4(address, out var v4))
        {
            (family, bits) = (HostFamily.V4, v4);
        }
        else if (TryParseV6(address, out bits))
        {
            family = HostFamily.V6;
        }
        else
        {
            throw new PolicyConfigException($"NetworkPolicyHosts: Invalid host entry '{text}' for policy {policy}");
        }
        var width = family == HostFamily.V4 ? 32 : 128;
        if (length > width)
        {
            throw new PolicyConfigException($"NetworkPolicyHosts: Invalid prefix length in '{text}'");
        }
        length = length < 0 ? width : length;
        if (Mask(bits, length, width) != bits)
        {
            throw new PolicyConfigException($"NetworkPolicyHosts: Non-prefix bits set in '{text}'");
        }
        // Look-ups take an IPv4-mapped address as IPv4, so its entry belongs there, too.
        return family == HostFamily.V6 && length >= MappedPrefix && bits >> 32 == 0xFFFF
            ? new HostPrefix((uint)(bits & uint.MaxValue), length - MappedPrefix, HostFamily.V4)
            : new HostPrefix(bits, length, family);
    }

    /// <summary>The first <paramref name="length"/> of <paramref name="width"/> bits, the rest zero.</summary>
    public static UInt128 Mask(UInt128 bits, int length, int width) => length == 0 ? 0 : bits >> (width - length) << (width - length);

    private static bool TryParseLength(ReadOnlySpan<char> digits, out int length)
    {
        length = 0;
        if (digits.IsEmpty || (digits[0] == '0' && digits.Length > 1))
        {
            return false;
        }
        foreach (var c in digits)
        {
            if (!char.IsAsciiDigit(c))
            {
                return false;
            }
            length = Math.Min((length * 10) + (c - '0'), 1000);
        }
        return length <= 128;
    }

    private static bool TryParseV4(ReadOnlySpan<char> text, out uint bits)
    {
        bits = 0;
        for (var octet = 0; octet < 4; octet++)
        {
            var end = octet < 3 ? text.IndexOf('.') : text.Length;
            if (end is < 1 or > 3 || (text[0] == '0' && end > 1))
            {
                return false;
            }
            var value = 0;
            foreach (var c in text[..end])
            {
                if (!char.IsAsciiDigit(c))
                {
                    return false;
                }
                value = (value * 10) + (c - '0');
            }
            if (value > 255)
            {
                return false;
            }
            bits = (bits << 8) | (uint)value;
            text = octet < 3 ? text[(end + 1)..] : text;
        }
        return true;
    }

    private static bool TryParseV6(ReadOnlySpan<char> text, out UInt128 bits)
    {
        bits = 0;
        var gap = text.IndexOf("::");
        if (gap < 0)
        {
            return TryParseGroups(text, out bits, out var all) && all == 8;
        }
        var head = text[..gap];
        var tail = text[(gap + 2)..];
        UInt128 high = 0, low = 0;
        int headCount = 0, tailCount = 0;
        if ((!head.IsEmpty && (head.Contains('.') || !TryParseGroups(head, out high, out headCount)))
            || (!tail.IsEmpty && !TryParseGroups(tail, out low, out tailCount))
            || headCount + tailCount > 7)
        {
            return false;
        }
        bits = (headCount == 0 ? 0 : high << (16 * (8 - headCount))) | low;
        return true;
    }

    private static bool TryParseGroups(ReadOnlySpan<char> text, out UInt128 bits, out int count)
    {
        bits = 0;
        count = 0;
        while (true)
        {
            var colon = text.IndexOf(':');
            var group = colon < 0 ? text : text[..colon];
            if (colon < 0 && group.Contains('.'))
            {
                if (!TryParseV4(group, out var v4))
                {
                    return false;
                }
                bits = (bits << 32) | v4;
                count += 2;
                return count <= 8;
            }
            if (group.Length is < 1 or > 4)
            {
                return false;
            }
            uint value = 0;
            foreach (var c in group)
            {
                if (!char.IsAsciiHexDigit(c))
                {
                    return false;
                }
                value = (value << 4) | (uint)(char.IsAsciiDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
            }
            bits = (bits << 16) | value;
            if (++count > 8)
            {
                return false;
            }
            if (colon < 0)
            {
                return true;
            }
            text = text[(colon + 1)..];
        }
    }
}

/// <summary>Address family of a prefix.</summary>
internal enum HostFamily
{
    V4,
    V6,
}
