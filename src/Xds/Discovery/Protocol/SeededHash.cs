using System;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// 64 bits of some bytes, for tables within this process: some GB/s, and seeded, so that nobody outside can make collisions on purpose. Equal
/// hashes prove nothing; bytes are compared.
/// </summary>
internal static class SeededHash
{
    private static readonly ulong First = Random();
    private static readonly ulong Second = Random();

    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var state = First ^ (ulong)bytes.Length;
        for (; bytes.Length > 16; bytes = bytes[16..])
        {
            state = Mix(BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ Second, BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) ^ state);
        }
        Span<byte> rest = stackalloc byte[16];
        rest.Clear();
        bytes.CopyTo(rest);
        state = Mix(BinaryPrimitives.ReadUInt64LittleEndian(rest) ^ Second, BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]) ^ state);
        return Mix(state ^ First, Second);
    }

    private static ulong Mix(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high ^ low;
    }

    private static ulong Random() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) | 1;
}
