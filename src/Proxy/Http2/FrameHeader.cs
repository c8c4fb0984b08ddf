using System;
using System.Buffers.Binary;

namespace Postern.Proxy.Http2;

/// <summary>The nine bytes in front of every frame (RFC 9113 §4.1).</summary>
/// <param name="Length">Bytes of payload.</param>
/// <param name="Type">What it is.</param>
/// <param name="Flags">As the type defines them.</param>
/// <param name="StreamId">0 for the connection; the reserved bit is dropped.</param>
internal readonly record struct FrameHeader(int Length, FrameType Type, FrameFlags Flags, int StreamId)
{
    /// <summary>Bytes.</summary>
    public const int Size = 9;

    /// <summary>SETTINGS_MAX_FRAME_SIZE of both sides: no larger frame is taken, and none is sent.</summary>
    public const int MaxPayload = 16384;

    /// <summary>SETTINGS and PING: an answer.</summary>
    public const FrameFlags Ack = FrameFlags.EndStream;

    public bool EndsStream => (Flags & FrameFlags.EndStream) != 0;

    public bool EndsHeaders => (Flags & FrameFlags.EndHeaders) != 0;

    public bool IsAck => (Flags & Ack) != 0;

    /// <summary>Reads it from the first nine bytes.</summary>
    public static FrameHeader Read(ReadOnlySpan<byte> bytes) => new(
        (bytes[0] << 16) | (bytes[1] << 8) | bytes[2],
        (FrameType)bytes[3],
        (FrameFlags)bytes[4],
        BinaryPrimitives.ReadInt32BigEndian(bytes[5..]) & int.MaxValue);

    /// <summary>Writes it into the first nine bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        bytes[0] = (byte)(Length >> 16);
        bytes[1] = (byte)(Length >> 8);
        bytes[2] = (byte)Length;
        bytes[3] = (byte)Type;
        bytes[4] = (byte)Flags;
        BinaryPrimitives.WriteInt32BigEndian(bytes[5..], StreamId);
    }
}
