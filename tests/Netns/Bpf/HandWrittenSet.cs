using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Net;
using Postern.Tproxy.Bpf;

namespace Postern.Tests.Netns.Bpf;

/// <summary>A set of rules put into the maps byte by byte, without the compiler, as native/steering.h describes them.</summary>
internal sealed class HandWrittenSet
{
    private readonly byte[] filter = new byte[SteeringLayout.FilterSize];
    private readonly List<(byte[] Key, byte[] Value)> rules = [];
    private readonly List<(byte[] Key, byte[] Value)> prefixes4 = [];
    private readonly List<(byte[] Key, byte[] Value)> prefixes6 = [];

    /// <summary>Bit n: a key with n leading port bits.</summary>
    internal const uint OnePort = 1u << 16;
    internal const uint AnyPort = 1u;

    /// <summary>A rule to this host and port alone, for TCP and UDP.</summary>
    internal static HandWrittenSet To(string address, ushort port, ushort proxyPort, ushort flags = 0) =>
        new HandWrittenSet()
            .Host(address, 1, SteeringLayout.RoleDestination, OnePort, OnePort)
            .Rule(Frame.Tcp, 0, 0, 1, port, 16, 1, proxyPort, flags)
            .Rule(Frame.Udp, 0, 0, 1, port, 16, 1, proxyPort, flags);

    internal HandWrittenSet Host(string address, uint id, uint roles, uint tcp, uint udp)
    {
        var mapped = IPAddress.Parse(address).MapToIPv6().GetAddressBytes();
        rules.Add(([SteeringLayout.KeyAddress, 0, 0, 0, .. mapped], Class(id, roles, tcp, udp)));
        var bit = FilterBit(address);
        filter[16 + (bit / 8)] |= (byte)(1 << (int)(bit % 8));
        return this;
    }

    internal HandWrittenSet Prefix(string prefix, uint id, uint roles, uint tcp, uint udp)
    {
        var net = IPNetwork.Parse(prefix);
        var bytes = net.BaseAddress.GetAddressBytes();
        (bytes.Length == 4 ? prefixes4 : prefixes6).Add(([(byte)net.PrefixLength, 0, 0, 0, .. bytes], Class(id, roles, tcp, udp)));
        return Flags(bytes.Length == 4 ? SteeringLayout.FilterPrefixes4 : SteeringLayout.FilterPrefixes6);
    }

    internal HandWrittenSet Everybody(uint tcp, uint udp, uint flags = 0)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(filter.AsSpan(4), tcp);
        BinaryPrimitives.WriteUInt32LittleEndian(filter.AsSpan(8), udp);
        return Flags(SteeringLayout.FilterEverybody | flags);
    }

    internal HandWrittenSet Rule(byte protocol, uint device, uint source, uint destination, ushort port, byte portLength, uint order, ushort proxyPort, ushort flags = 0)
    {
        var key = new byte[SteeringLayout.KeySize];
        key[0] = SteeringLayout.KeyRule;
        key[1] = protocol;
        key[2] = portLength;
        BinaryPrimitives.WriteUInt32LittleEndian(key.AsSpan(4), device);
        BinaryPrimitives.WriteUInt32LittleEndian(key.AsSpan(8), source);
        BinaryPrimitives.WriteUInt32LittleEndian(key.AsSpan(12), destination);
        BinaryPrimitives.WriteUInt16LittleEndian(key.AsSpan(16), port);
        var value = new byte[SteeringLayout.ValueSize];
        BinaryPrimitives.WriteUInt32LittleEndian(value, order);
        BinaryPrimitives.WriteUInt16LittleEndian(value.AsSpan(4), proxyPort);
        BinaryPrimitives.WriteUInt16LittleEndian(value.AsSpan(6), flags);
        rules.Add((key, value));
        return this;
    }

    /// <summary>As generation <paramref name="generation"/>, with these state flags.</summary>
    internal void Write(SteeringMaps maps, uint stateFlags = 0, uint generation = 0)
    {
        var half = Number(generation & 1);
        using (var inner = Inner(BpfMapType.Hash, SteeringLayout.KeySize, rules, 0))
        {
            maps.Rules.Update(half, Number((uint)inner.Descriptor));
        }

        using (var inner = Inner(BpfMapType.LpmTrie, SteeringLayout.Prefix4Size, prefixes4, BpfMap.NoPreallocation))
        {
            maps.Prefixes4.Update(half, Number((uint)inner.Descriptor));
        }

        using (var inner = Inner(BpfMapType.LpmTrie, SteeringLayout.Prefix6Size, prefixes6, BpfMap.NoPreallocation))
        {
            maps.Prefixes6.Update(half, Number((uint)inner.Descriptor));
        }

        maps.Filters.Update(half, filter);
        maps.State.Update(Number(0), [.. Number(generation), .. Number(stateFlags)]);
    }

    internal static byte[] Flow(string from, ushort fromPort, string to, ushort toPort) =>
    [
        .. IPAddress.Parse(from).MapToIPv6().GetAddressBytes(), .. IPAddress.Parse(to).MapToIPv6().GetAddressBytes(),
        (byte)fromPort, (byte)(fromPort >> 8), (byte)toPort, (byte)(toPort >> 8), Frame.Tcp, 0, 0, 0,
    ];

    internal static byte[] Memory(uint what, uint end = 0) => [.. Number(what), .. Number(end)];

    internal static byte[] Number(uint value) => BitConverter.GetBytes(value);

    /// <summary>postern_filter_bit of native/steering.h.</summary>
    internal static uint FilterBit(string address)
    {
        uint folded = 0;
        ReadOnlySpan<byte> bytes = IPAddress.Parse(address).GetAddressBytes();
        for (var i = 0; i < bytes.Length; i += 4)
        {
            folded ^= BinaryPrimitives.ReadUInt32BigEndian(bytes[i..]);
        }

        return folded * 0x9E3779B1u >> 16;
    }

    private HandWrittenSet Flags(uint flags)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(filter, BinaryPrimitives.ReadUInt32LittleEndian(filter) | flags);
        return this;
    }

    private static byte[] Class(uint id, uint roles, uint tcp, uint udp) => [.. Number(id), .. Number(roles), .. Number(tcp), .. Number(udp)];

    // Larger by an odd number than what is in it: the program's template has one entry.
    private static BpfMap Inner(BpfMapType type, int keySize, List<(byte[] Key, byte[] Value)> entries, uint flags)
    {
        var map = BpfMap.Create(type, "inner", keySize, SteeringLayout.ValueSize, entries.Count + 7, flags);
        foreach (var (key, value) in entries)
        {
            map.Update(key, value);
        }

        return map;
    }
}
