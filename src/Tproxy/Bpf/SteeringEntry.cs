using System;
using System.Buffers.Binary;
using System.Collections.Generic;

namespace Postern.Tproxy.Bpf;

/// <summary>Entries of the maps as native/steering.h lays them down. Numbers are in host order, addresses in network order.</summary>
internal static class SteeringEntry
{
    private const int Rest = 4; // offset of the union behind kind, protocol, port_length and zero

    /// <summary>struct postern_key of a host's address, to its class.</summary>
    internal static KeyValuePair<byte[], byte[]> Address(SteeringPrefix host, uint id, ClassUse use)
    {
        var key = new byte[SteeringLayout.KeySize];
        key[0] = SteeringLayout.KeyAddress;
        BinaryPrimitives.WriteUInt128BigEndian(key.AsSpan(Rest), host.Bits);
        return new(key, Class(id, use));
    }

    /// <summary>struct postern_prefix4 or postern_prefix6, to its class.</summary>
    internal static KeyValuePair<byte[], byte[]> Prefix(SteeringPrefix prefix, uint id, ClassUse use) => new(prefix.TrieKey(), Class(id, use));

    /// <summary>struct postern_key of a rule, to struct postern_rule.</summary>
    internal static KeyValuePair<byte[], byte[]> Rule(RuleCombination combination, PortBlock ports, uint order, ushort proxyPort, ushort flags)
    {
        var key = new byte[SteeringLayout.KeySize];
        key[0] = SteeringLayout.KeyRule;
        key[1] = (byte)combination.Protocol;
        key[2] = ports.Length;
        Put(key, Rest, combination.Device);
        Put(key, Rest + 4, combination.Source);
        Put(key, Rest + 8, combination.Destination);
        BitConverter.TryWriteBytes(key.AsSpan(Rest + 12), ports.Port);

        var value = new byte[SteeringLayout.ValueSize];
        Put(value, 0, order);
        BitConverter.TryWriteBytes(value.AsSpan(4), proxyPort);
        BitConverter.TryWriteBytes(value.AsSpan(6), flags);
        return new(key, value);
    }

    private static byte[] Class(uint id, ClassUse use)
    {
        var value = new byte[SteeringLayout.ValueSize];
        Put(value, 0, id);
        Put(value, 4, use.Roles);
        Put(value, 8, use.LengthsTcp);
        Put(value, 12, use.LengthsUdp);
        return value;
    }

    private static void Put(byte[] into, int offset, uint number) => BitConverter.TryWriteBytes(into.AsSpan(offset), number);
}
