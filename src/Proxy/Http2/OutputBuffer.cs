using System;
using System.Buffers;
using System.Buffers.Binary;

namespace Postern.Proxy.Http2;

/// <summary>Frames on their way out: what gathers here goes out in one write. Guarded by the session's gate.</summary>
internal sealed class OutputBuffer
{
    private const int MinBuffer = 4096;

    private byte[] bytes = [];

    /// <summary>Bytes that wait.</summary>
    public int Length { get; private set; }

    /// <summary>Frames that wait.</summary>
    public int Frames { get; private set; }

    /// <summary>Of those, answers that the peer can ask for without end: PING, SETTINGS, RST_STREAM.</summary>
    public int ControlFrames { get; private set; }

    public ReadOnlyMemory<byte> Written => bytes.AsMemory(0, Length);

    /// <summary>Everything went out; with nothing in sight the memory is given back.</summary>
    public void Clear(bool release)
    {
        Length = Frames = ControlFrames = 0;
        if (release && bytes.Length > 0)
        {
            var old = bytes;
            bytes = [];
            ArrayPool<byte>.Shared.Return(old);
        }
    }

    public void Raw(ReadOnlySpan<byte> data)
    {
        data.CopyTo(Reserve(data.Length));
        Length += data.Length;
    }

    /// <summary>One DATA frame.</summary>
    public void Data(int streamId, ReadOnlySpan<byte> data, bool end)
    {
        var payload = Begin(data.Length, FrameType.Data, end ? FrameFlags.EndStream : FrameFlags.None, streamId);
        data.CopyTo(payload);
    }

    public void RstStream(int streamId, Http2ErrorCode code)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Begin(4, FrameType.RstStream, FrameFlags.None, streamId), (uint)code);
        ControlFrames++;
    }

    public void WindowUpdate(int streamId, int increment) => BinaryPrimitives.WriteInt32BigEndian(Begin(4, FrameType.WindowUpdate, FrameFlags.None, streamId), increment);

    public void Ping(ReadOnlySpan<byte> opaque, bool ack)
    {
        opaque.CopyTo(Begin(8, FrameType.Ping, ack ? FrameHeader.Ack : FrameFlags.None, 0));
        ControlFrames++;
    }

    public void SettingsAck()
    {
        Begin(0, FrameType.Settings, FrameHeader.Ack, 0);
        ControlFrames++;
    }

    public void Settings(ReadOnlySpan<(SettingId Id, int Value)> settings)
    {
        var payload = Begin(settings.Length * PeerSettings.EntrySize, FrameType.Settings, FrameFlags.None, 0);
        foreach (var (id, value) in settings)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)id);
            BinaryPrimitives.WriteInt32BigEndian(payload[2..], value);
            payload = payload[PeerSettings.EntrySize..];
        }
    }

    /// <param name="lastStreamId">Streams above it were not and will not be acted upon.</param>
    /// <param name="code">Why.</param>
    /// <param name="debug">ASCII, for who reads the peer's log.</param>
    public void GoAway(int lastStreamId, Http2ErrorCode code, string debug)
    {
        var payload = Begin(8 + debug.Length, FrameType.GoAway, FrameFlags.None, 0);
        BinaryPrimitives.WriteInt32BigEndian(payload, lastStreamId);
        BinaryPrimitives.WriteUInt32BigEndian(payload[4..], (uint)code);
        System.Text.Encoding.ASCII.GetBytes(debug, payload[8..]);
    }

    /// <summary>A header block as HEADERS, and CONTINUATION frames where it is long.</summary>
    /// <param name="streamId">Its stream.</param>
    /// <param name="end">END_STREAM.</param>
    /// <param name="head">What is written.</param>
    /// <param name="write">Writes it; -1 when a field cannot be written.</param>
    /// <param name="encoder">The connection's.</param>
    /// <returns>False: nothing was written.</returns>
    public bool Headers<T>(int streamId, bool end, T head, BlockWriter<T> write, Hpack.HpackEncoder encoder)
    {
        Reserve(FrameHeader.Size);
        var start = Length + FrameHeader.Size;
        var to = write(encoder, head, ref bytes, start);
        if (to < 0)
        {
            return false;
        }
        var size = to - start;
        var extra = size == 0 ? 0 : (size - 1) / FrameHeader.MaxPayload;
        if (extra > 0)
        {
            // The later parts move back, the last one first, to make place for their frame headers.
            var held = Length;
            Length = to;
            Reserve(extra * FrameHeader.Size);
            Length = held;
            for (var part = extra; part > 0; part--)
            {
                var from = start + (part * FrameHeader.MaxPayload);
                var count = Math.Min(FrameHeader.MaxPayload, to - from);
                var at = from + (part * FrameHeader.Size);
                bytes.AsSpan(from, count).CopyTo(bytes.AsSpan(at));
                new FrameHeader(count, FrameType.Continuation, part == extra ? FrameFlags.EndHeaders : FrameFlags.None, streamId).Write(bytes.AsSpan(at - FrameHeader.Size));
            }
        }
        var flags = (end ? FrameFlags.EndStream : FrameFlags.None) | (extra == 0 ? FrameFlags.EndHeaders : FrameFlags.None);
        new FrameHeader(Math.Min(size, FrameHeader.MaxPayload), FrameType.Headers, flags, streamId).Write(bytes.AsSpan(Length));
        Length = to + (extra * FrameHeader.Size);
        Frames += 1 + extra;
        return true;
    }

    private Span<byte> Begin(int length, FrameType type, FrameFlags flags, int streamId)
    {
        var frame = Reserve(FrameHeader.Size + length);
        new FrameHeader(length, type, flags, streamId).Write(frame);
        Length += FrameHeader.Size + length;
        Frames++;
        return frame.Slice(FrameHeader.Size, length);
    }

    private Span<byte> Reserve(int count)
    {
        if (bytes.Length - Length < count)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(MinBuffer, bytes.Length * 2), Length + count));
            bytes.AsSpan(0, Length).CopyTo(larger);
            if (bytes.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(bytes);
            }
            bytes = larger;
        }
        return bytes.AsSpan(Length);
    }
}

/// <summary>Writes a header block at a place of a buffer that it may replace by a larger one; returns its end, or -1.</summary>
internal delegate int BlockWriter<in T>(Hpack.HpackEncoder encoder, T head, ref byte[] buffer, int at);
