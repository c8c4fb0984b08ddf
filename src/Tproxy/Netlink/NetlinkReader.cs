using System;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Netlink;

/// <summary>
/// The messages of one netlink datagram, or the attributes of one message: both are a length and a type in front of a payload, padded to four bytes.
/// Stops at the first that does not fit; <see cref="IsMalformed"/> then says so. Numbers are in the machine's order (netlink(7)).
/// </summary>
internal ref struct NetlinkReader
{
    private const int MessageHeader = 16;
    private const int AttributeHeader = 4;
    private const ushort TypeMask = 0x3fff; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER

    private ReadOnlySpan<byte> rest;
    private readonly bool messages;

    private NetlinkReader(ReadOnlySpan<byte> bytes, bool messages)
    {
        rest = bytes;
        this.messages = messages;
    }

    internal bool IsMalformed { get; private set; }

    internal ushort Type { get; private set; }

    /// <summary>Of a message: NLM_F_….</summary>
    internal ushort Flags { get; private set; }

    /// <summary>Of a message: that of the request it answers.</summary>
    internal uint Sequence { get; private set; }

    internal ReadOnlySpan<byte> Payload { get; private set; }

    internal static NetlinkReader Messages(ReadOnlySpan<byte> datagram) => new(datagram, messages: true);

    internal static NetlinkReader Attributes(ReadOnlySpan<byte> bytes) => new(bytes, messages: false);

    /// <summary>False at the end, and at what is malformed.</summary>
    internal bool Next()
    {
        var header = messages ? MessageHeader : AttributeHeader;
        if (rest.IsEmpty || IsMalformed)
        {
            return false;
        }

        var length = rest.Length < header ? 0 : messages ? MemoryMarshal.Read<uint>(rest) : MemoryMarshal.Read<ushort>(rest);
        if (length < header || length > rest.Length)
        {
            IsMalformed = true;
            return false;
        }

        var type = MemoryMarshal.Read<ushort>(rest[(messages ? 4 : 2)..]);
        Type = messages ? type : (ushort)(type & TypeMask);
        Flags = messages ? MemoryMarshal.Read<ushort>(rest[6..]) : (ushort)0;
        Sequence = messages ? MemoryMarshal.Read<uint>(rest[8..]) : 0;
        Payload = rest[header..(int)length];
        // The last one's padding may be left out.
        rest = rest[Math.Min(rest.Length, ((int)length + 3) & ~3)..];
        return true;
    }
}
