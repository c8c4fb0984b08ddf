using System;
using System.Buffers.Binary;

namespace Postern.Proxy.Http2;

/// <summary>What a frame must satisfy whatever the connection's state is: its length and its stream identifier (RFC 9113 §6). No I/O.</summary>
internal static class FrameRules
{
    private const int PriorityLength = 5;

    /// <summary>Judges the header alone, so that what is too long is never waited for.</summary>
    public static Http2Fault? Check(in FrameHeader frame)
    {
        if (frame.Length > FrameHeader.MaxPayload)
        {
            return Http2Fault.FrameSize;
        }
        switch (frame.Type)
        {
            case FrameType.Data or FrameType.Headers or FrameType.Continuation:
                return frame.StreamId == 0 ? Http2Fault.StreamId : null;
            case FrameType.Priority:
                return frame.StreamId == 0 ? Http2Fault.StreamId : frame.Length != PriorityLength ? Http2Fault.StreamFrameSize : null;
            case FrameType.RstStream:
                return frame.StreamId == 0 ? Http2Fault.StreamId : frame.Length != 4 ? Http2Fault.FrameSize : null;
            case FrameType.Settings:
                return frame.StreamId != 0 ? Http2Fault.StreamId : (frame.IsAck ? frame.Length != 0 : frame.Length % PeerSettings.EntrySize != 0) ? Http2Fault.FrameSize : null;
            case FrameType.PushPromise:
                return Http2Fault.Push;
            case FrameType.Ping:
                return frame.StreamId != 0 ? Http2Fault.StreamId : frame.Length != 8 ? Http2Fault.FrameSize : null;
            case FrameType.GoAway:
                return frame.StreamId != 0 ? Http2Fault.StreamId : frame.Length < 8 ? Http2Fault.FrameSize : null;
            case FrameType.WindowUpdate:
                return frame.Length != 4 ? Http2Fault.FrameSize : null;
            default:
                return null;
        }
    }

    /// <summary>Takes padding and, of HEADERS, the deprecated priority (§5.3.2) off a payload.</summary>
    public static Http2Fault? Strip(in FrameHeader frame, ref ReadOnlySpan<byte> payload)
    {
        var padding = 0;
        if ((frame.Flags & FrameFlags.Padded) != 0)
        {
            if (payload.IsEmpty)
            {
                return Http2Fault.FrameSize;
            }
            padding = payload[0];
            payload = payload[1..];
        }
        if (frame.Type == FrameType.Headers && (frame.Flags & FrameFlags.Priority) != 0)
        {
            if (payload.Length < PriorityLength)
            {
                return Http2Fault.FrameSize;
            }
            payload = payload[PriorityLength..];
        }
        if (padding > payload.Length)
        {
            return Http2Fault.Padding;
        }
        payload = payload[..^padding];
        return null;
    }

    /// <summary>The increment of a WINDOW_UPDATE, or the 31 bits of a stream identifier.</summary>
    public static int ReadUInt31(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadInt32BigEndian(payload) & int.MaxValue;

    /// <summary>The code of RST_STREAM.</summary>
    public static Http2ErrorCode ReadCode(ReadOnlySpan<byte> payload) => (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(payload);
}
