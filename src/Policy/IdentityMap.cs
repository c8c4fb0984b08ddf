using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using Postern.Policy.Config;

namespace Postern.Policy;

/// <summary>
/// IP → identity by longest prefix (NPHDS), compiled and immutable. One hash table per prefix length that occurs, tried from the longest:
/// a look-up costs as many probes as there are different lengths, not entries.
/// </summary>
public sealed class IdentityMap
{
    /// <summary>Knows nobody: everyone is <see cref="Identities.World"/>.</summary>
    public static readonly IdentityMap Empty = new([], []);

    private readonly Level<uint>[] v4;
    private readonly Level<UInt128>[] v6;

    private readonly record struct Level<TKey>(int Length, Dictionary<TKey, uint> Identities)
        where TKey : notnull;

    private IdentityMap(Dictionary<uint, uint>?[] v4, Dictionary<UInt128, uint>?[] v6)
    {
        this.v4 = Levels(v4);
        this.v6 = Levels(v6);
    }

    /// <summary>The identity of the longest prefix that covers <paramref name="address"/>, or <see cref="Identities.Unknown"/>. IPv4-mapped IPv6 is looked up as IPv4.</summary>
    public uint Find(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            return FindV4(BinaryPrimitives.ReadUInt32BigEndian(bytes));
        }
        return address.IsIPv4MappedToIPv6
            ? FindV4(BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]))
            : FindV6(BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    /// <summary>Compiles a full (SotW) set.</summary>
    /// <exception cref="PolicyConfigException">The update is refused as a whole.</exception>
    public static IdentityMap Compile(IReadOnlyList<NetworkPolicyHostsConfig> resources)
    {
        var v4 = new Dictionary<uint, uint>?[33];
        var v6 = new Dictionary<UInt128, uint>?[129];
        foreach (var resource in resources)
        {
            if (resource.Policy > uint.MaxValue)
            {
                throw new PolicyConfigException($"NetworkPolicyHosts: policy {resource.Policy} is no security identity: the largest is {uint.MaxValue}");
            }
            var identity = (uint)resource.Policy;
            foreach (var host in resource.HostAddresses)
            {
                var prefix = HostPrefix.Parse(host, resource.Policy);
                var added = prefix.Family == HostFamily.V4
                    ? (v4[prefix.Length] ??= []).TryAdd((uint)prefix.Bits, identity)
                    : (v6[prefix.Length] ??= []).TryAdd(prefix.Bits, identity);
                if (!added)
                {
                    var map = new IdentityMap(v4, v6);
                    var taken = prefix.Family == HostFamily.V4 ? map.FindV4((uint)prefix.Bits) : map.FindV6(prefix.Bits);
                    throw new PolicyConfigException($"NetworkPolicyHosts: Duplicate host entry '{host}' for policy {resource.Policy}, already mapped to {taken}");
                }
            }
        }
        return new IdentityMap(v4, v6);
    }

    private uint FindV4(uint address)
    {
        foreach (var level in v4)
        {
            var key = level.Length == 0 ? 0 : address >> (32 - level.Length) << (32 - level.Length);
            if (level.Identities.TryGetValue(key, out var identity))
            {
                return identity;
            }
        }
        return Identities.Unknown;
    }

    private uint FindV6(UInt128 address)
    {
        foreach (var level in v6)
        {
            if (level.Identities.TryGetValue(HostPrefix.Mask(address, level.Length, 128), out var identity))
            {
                return identity;
            }
        }
        return Identities.Unknown;
    }

    private static Level<TKey>[] Levels<TKey>(Dictionary<TKey, uint>?[] byLength)
        where TKey : notnull
    {
        var levels = new List<Level<TKey>>();
        for (var length = byLength.Length - 1; length >= 0; length--)
        {
            if (byLength[length] is { } identities)
            {
                levels.Add(new Level<TKey>(length, identities));
            }
        }
        return [.. levels];
    }
}
