using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Tproxy.Bpf;

/// <summary>What native/tproxy_bpf.c looks up, over the compiled bytes: it knows the layout from native/steering.h alone.</summary>
internal sealed class ProgramMirror
{
    private readonly byte[] filter;
    private readonly Dictionary<string, byte[]> rules;
    private readonly List<(byte[] Key, byte[] Value)> prefixes4;
    private readonly List<(byte[] Key, byte[] Value)> prefixes6;

    internal ProgramMirror(CompiledSteering set)
    {
        filter = set.Filter;
        rules = set.Rules.ToDictionary(entry => Convert.ToHexString(entry.Key), entry => entry.Value);
        prefixes4 = [.. set.Prefixes4.Select(entry => (entry.Key, entry.Value))];
        prefixes6 = [.. set.Prefixes6.Select(entry => (entry.Key, entry.Value))];
    }

    internal readonly record struct Hit(uint Order, ushort ProxyPort, ushort Flags);

    private readonly record struct Class(uint Id, uint Roles, uint Tcp, uint Udp)
    {
        internal bool Has(uint role) => (Roles & role) != 0;
    }

    internal Hit? Decide(Packet packet)
    {
        Hit? best = null;
        var source = Find(packet.Source);
        var destination = Find(packet.Destination);
        var flags = Number(filter, 0);
        if ((flags & SteeringLayout.FilterEverybody) != 0)
        {
            Ask(0, 0, packet.Protocol == SteeringProtocol.Tcp ? Number(filter, 4) : Number(filter, 8), (flags & SteeringLayout.FilterEverybodyDevice) != 0);
        }

        if (source.Has(SteeringLayout.RoleSource))
        {
            Ask(source.Id, 0, Lengths(source), source.Has(SteeringLayout.RoleDevice));
        }

        if (destination.Has(SteeringLayout.RoleDestination))
        {
            Ask(0, destination.Id, Lengths(destination), destination.Has(SteeringLayout.RoleDevice));
        }

        if (source.Has(SteeringLayout.RolePairSource) && destination.Has(SteeringLayout.RolePairDestination))
        {
            // What both name is enough, and the least there is to ask.
            Ask(source.Id, destination.Id, Lengths(source) & Lengths(destination), source.Has(SteeringLayout.RoleDevice) && destination.Has(SteeringLayout.RoleDevice));
        }

        return best;

        uint Lengths(Class of) => packet.Protocol == SteeringProtocol.Tcp ? of.Tcp : of.Udp;

        void Ask(uint from, uint to, uint lengths, bool withDevice)
        {
            for (var length = 0; length <= 16; length++)
            {
                if ((lengths & (1u << length)) != 0)
                {
                    Take(RuleKey(packet, 0, from, to, length));
                    if (withDevice)
                    {
                        Take(RuleKey(packet, packet.Device, from, to, length));
                    }
                }
            }
        }

        void Take(byte[] key)
        {
            if (rules.TryGetValue(Convert.ToHexString(key), out var value) && (best is null || Number(value, 0) < best.Value.Order))
            {
                best = new(Number(value, 0), BitConverter.ToUInt16(value, 4), BitConverter.ToUInt16(value, 6));
            }
        }
    }

    internal static int FilterBit(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        var folded = 0u;
        for (var i = 0; i < bytes.Length; i += 4)
        {
            folded ^= BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(i));
        }

        return (int)(unchecked(folded * 0x9E3779B1u) >> 16);
    }

    private Class Find(IPAddress address)
    {
        var bit = FilterBit(address);
        if ((BitConverter.ToUInt64(filter, 16 + (bit / 64 * 8)) >> (bit % 64) & 1) != 0)
        {
            var key = new byte[20];
            key[0] = 1;
            address.MapToIPv6().GetAddressBytes().CopyTo(key, 4);
            if (rules.TryGetValue(Convert.ToHexString(key), out var host))
            {
                return Read(host);
            }
        }

        var (needed, prefixes) = address.AddressFamily == AddressFamily.InterNetwork
            ? (SteeringLayout.FilterPrefixes4, prefixes4)
            : (SteeringLayout.FilterPrefixes6, prefixes6);
        return (Number(filter, 0) & needed) == 0 ? default : prefixes
            .Where(prefix => new IPNetwork(new IPAddress(prefix.Key.AsSpan(4)), (int)Number(prefix.Key, 0)).Contains(address))
            .OrderByDescending(prefix => Number(prefix.Key, 0))
            .Select(prefix => Read(prefix.Value))
            .FirstOrDefault();
    }

    private static byte[] RuleKey(Packet packet, uint device, uint source, uint destination, int length) =>
    [
        2, (byte)packet.Protocol, (byte)length, 0,
        .. BitConverter.GetBytes(device), .. BitConverter.GetBytes(source), .. BitConverter.GetBytes(destination),
        .. BitConverter.GetBytes((ushort)(packet.Port & ~(0xFFFF >> length))), 0, 0,
    ];

    private static Class Read(byte[] value) => new(Number(value, 0), Number(value, 4), Number(value, 8), Number(value, 12));

    private static uint Number(byte[] bytes, int offset) => BitConverter.ToUInt32(bytes, offset);
}
