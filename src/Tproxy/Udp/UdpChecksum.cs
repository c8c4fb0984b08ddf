using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Udp;

/// <summary>The checksum of RFC 768 and RFC 8200 section 8.1: the complement of the one's complement sum of pseudo header, UDP header and payload.</summary>
internal static class UdpChecksum
{
    private const uint Protocol = 17;

    /// <summary>The checksum as its two bytes read in network order. Never 0, which would mean "none": 0 is sent as 0xffff.</summary>
    /// <param name="header">The UDP header, checksum field 0; of even length.</param>
    internal static ushort Of(in DatagramAddress source, in DatagramAddress destination, ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        Span<byte> addresses = stackalloc byte[32];
        var length = source.CopyTo(addresses);
        length += destination.CopyTo(addresses[length..]);
        // One's complement sums do not mind the order of bytes, so words are added as they lie; only these two numbers must be turned first.
        var sum = (ulong)Network(Protocol) + Network((uint)(header.Length + payload.Length));
        sum += Sum(addresses[..length]) + Sum(header) + Sum(payload);
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32);
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32);
        sum = (sum & 0xFFFF) + (sum >> 16);
        sum = (sum & 0xFFFF) + (sum >> 16);
        var check = (ushort)~sum;
        check = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(check) : check;
        return check == 0 ? (ushort)0xFFFF : check;
    }

    private static uint Network(uint value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    // 65,535 bytes are 16,384 words of 32 bits: 64 bits cannot overflow.
    private static ulong Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0UL;
        foreach (var word in MemoryMarshal.Cast<byte, uint>(bytes))
        {
            sum += word;
        }

        var rest = bytes[(bytes.Length & ~3)..];
        if (rest.Length > 0)
        {
            Span<byte> last = stackalloc byte[4];
            last.Clear();
            rest.CopyTo(last);
            sum += MemoryMarshal.Read<uint>(last);
        }

        return sum;
    }
}
