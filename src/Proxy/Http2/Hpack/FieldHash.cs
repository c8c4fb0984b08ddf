using System;
using System.Buffers.Binary;

namespace Postern.Proxy.Http2.Hpack;

/// <summary>A cheap hash for the encoder's tables. They hold one entry a slot, so that names chosen to collide cost bytes on the wire, never time.</summary>
internal static class FieldHash
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15; // 2^64 / golden ratio

    public static ulong Of(ReadOnlySpan<byte> bytes, ulong seed)
    {
        var hash = seed + ((ulong)bytes.Length * Multiplier);
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }
        ulong rest = 0;
        foreach (var b in bytes)
        {
            rest = (rest << 8) | b;
        }
        return Mix(hash ^ rest);
    }

    private static ulong Mix(ulong value)
    {
        value *= Multiplier;
        return value ^ (value >> 32);
    }
}
