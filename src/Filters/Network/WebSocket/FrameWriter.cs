using System;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Postern.Filters.Network.Bytes;

namespace Postern.Filters.Network.WebSocket;

/// <summary>Writes frames (RFC 6455 §5.2), each a message of its own. A client masks with a fresh random key for each frame (§5.3), a server does not.</summary>
public sealed class FrameWriter(bool masks)
{
    private const int MaxHeader = 14;

    private readonly byte[] keys = new byte[256]; // drawn ahead: one call for 64 frames
    private int usedKeys = 256;

    /// <summary>One frame with the FIN bit.</summary>
    public void Write(int opcode, ReadOnlySpan<byte> payload, IByteOutput output)
    {
        var room = output.Reserve(MaxHeader + payload.Length);
        room[0] = (byte)(0x80 | opcode);
        var at = 2;
        if (payload.Length < 126)
        {
            room[1] = (byte)payload.Length;
        }
        else if (payload.Length <= ushort.MaxValue)
        {
            room[1] = 126;
            BinaryPrimitives.WriteUInt16BigEndian(room[2..], (ushort)payload.Length);
            at = 4;
        }
        else
        {
            room[1] = 127;
            BinaryPrimitives.WriteInt64BigEndian(room[2..], payload.Length);
            at = 10;
        }
        if (masks)
        {
            room[1] |= 0x80;
            var key = NextKey();
            BinaryPrimitives.WriteUInt32BigEndian(room[at..], key);
            at += FrameMask.KeyLength;
            FrameMask.Apply(key, 0, payload, room[at..]);
        }
        else
        {
            payload.CopyTo(room[at..]);
        }
        output.Advance(at + payload.Length);
    }

    private uint NextKey()
    {
        if (usedKeys == keys.Length)
        {
            RandomNumberGenerator.Fill(keys);
            usedKeys = 0;
        }
        var key = BinaryPrimitives.ReadUInt32BigEndian(keys.AsSpan(usedKeys));
        usedKeys += FrameMask.KeyLength;
        return key;
    }
}
