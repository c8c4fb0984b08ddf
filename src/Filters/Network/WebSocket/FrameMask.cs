using System;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Postern.Filters.Network.WebSocket;

/// <summary>The masking of payloads (RFC 6455 §5.3): its own inverse.</summary>
public static class FrameMask
{
    /// <summary>Length of a key.</summary>
    public const int KeyLength = 4;

    /// <summary>Writes <paramref name="source"/> masked into <paramref name="target"/>, which may be the same memory.</summary>
    /// <param name="key">As on the wire, first byte highest.</param>
    /// <param name="at">Position of the first byte within the payload.</param>
    /// <param name="source">Bytes.</param>
    /// <param name="target">At least as long.</param>
    public static void Apply(uint key, long at, ReadOnlySpan<byte> source, Span<byte> target)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        var turned = BitOperations.RotateLeft(key, (int)(at & 3) * 8);
        BinaryPrimitives.WriteUInt32BigEndian(bytes, turned);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], turned);
        var wide = MemoryMarshal.Read<ulong>(bytes);
        var i = 0;
        for (; i + sizeof(ulong) <= source.Length; i += sizeof(ulong))
        {
            MemoryMarshal.Write(target[i..], MemoryMarshal.Read<ulong>(source[i..]) ^ wide);
        }
        for (; i < source.Length; i++)
        {
            target[i] = (byte)(source[i] ^ bytes[i & 7]);
        }
    }
}
