using System;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Postern.Tproxy.Bpf;

/// <summary>
/// An address prefix that rules name. IPv4 is held as ::ffff:a.b.c.d and its length counts the 96 bits in front, so that a host has 128 in both
/// families. The families stay apart all the same: ::/0 speaks of IPv6 only. A prefix of v4-mapped addresses is the IPv4 prefix it means.
/// Sorted, a prefix stands in front of all prefixes that it covers, and those follow it without a gap.
/// </summary>
/// <param name="Version">4 or 6.</param>
/// <param name="Bits">The address; bits behind the length are zero.</param>
/// <param name="Length">0 to 128.</param>
internal readonly record struct SteeringPrefix(byte Version, UInt128 Bits, byte Length) : IComparable<SteeringPrefix>
{
    private const int MappedLength = 96;
    private const uint FilterMultiplier = 0x9E37_79B1; // 2^32 over the golden ratio; the program has the same

    internal bool IsHost => Length == 128;

    internal static SteeringPrefix From(IPNetwork network)
    {
        Span<byte> bytes = stackalloc byte[16];
        network.BaseAddress.TryWriteBytes(bytes, out _);
        if (network.BaseAddress.AddressFamily == AddressFamily.InterNetwork)
        {
            return new(4, Mapped(BinaryPrimitives.ReadUInt32BigEndian(bytes)), (byte)(network.PrefixLength + MappedLength));
        }

        var bits = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        var isMapped = network.PrefixLength >= MappedLength && bits >> 32 == 0xFFFF;
        return new(isMapped ? (byte)4 : (byte)6, bits, (byte)network.PrefixLength);
    }

    /// <summary>Whether every address of the other is one of this.</summary>
    internal bool Covers(SteeringPrefix other) =>
        Version == other.Version && Length <= other.Length && (Length == 0 || (Bits ^ other.Bits) >> (128 - Length) == 0);

    /// <summary>postern_filter_bit of a host's address.</summary>
    internal int FilterBit()
    {
        var folded = Version == 4
            ? (uint)Bits
            : (uint)(Bits >> 96) ^ (uint)(Bits >> 64) ^ (uint)(Bits >> 32) ^ (uint)Bits;
        return (int)(unchecked(folded * FilterMultiplier) >> 16);
    }

    /// <summary>The key in prefixes4 or prefixes6.</summary>
    internal byte[] TrieKey()
    {
        Span<byte> address = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(address, Bits);
        var skipped = Version == 4 ? 12 : 0;
        var key = new byte[Version == 4 ? SteeringLayout.Prefix4Size : SteeringLayout.Prefix6Size];
        BitConverter.TryWriteBytes(key, (uint)(Length - (skipped * 8)));
        address[skipped..].CopyTo(key.AsSpan(sizeof(uint)));
        return key;
    }

    public int CompareTo(SteeringPrefix other)
    {
        var order = Version.CompareTo(other.Version);
        order = order != 0 ? order : Bits.CompareTo(other.Bits);
        return order != 0 ? order : Length.CompareTo(other.Length);
    }

    private static UInt128 Mapped(uint address) => new(0, 0xFFFF_0000_0000ul | address);
}
