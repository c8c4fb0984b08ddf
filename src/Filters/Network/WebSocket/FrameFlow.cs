using System;
using System.Globalization;
using System.Text;
using Postern.Filters.Network.Bytes;

namespace Postern.Filters.Network.WebSocket;

/// <summary>
/// What follows a handshake: bytes on one side, frames on the other. Every piece of bytes becomes one binary frame; an end becomes a CLOSE frame and a half-close. Text, binary
/// and continuation frames become their payload; a CLOSE frame is the end, and what comes behind it is dropped. A cut within a frame is an error: it must not look like an end.
/// </summary>
internal sealed class FrameFlow(WebSocketOptions options, bool masks, IWebSocketCounters counters)
{
    private const double MaxJitter = 0.15;

    private readonly FrameReader reader = new();
    private readonly FrameWriter writer = new(masks);
    private long pings;
    private bool closeSent;
    private bool ended; // the frames' side

    /// <summary>When the next ping is due.</summary>
    public long NextPing { get; private set; } = long.MaxValue;

    /// <summary>The handshake is done.</summary>
    public void Begin(long now) => Schedule(now);

    /// <summary>Bytes to frames.</summary>
    public void Encode(ReadOnlySpan<byte> data, bool end, IByteOutput frames, long now)
    {
        if (closeSent)
        {
            return;
        }
        if (data.Length > 0)
        {
            writer.Write(Opcode.Binary, data, frames);
            NoteActivity(now);
        }
        if (end)
        {
            writer.Write(Opcode.Close, [], frames);
            frames.End();
            closeSent = true;
            NextPing = long.MaxValue;
        }
    }

    /// <summary>Frames to bytes.</summary>
    public ByteVerdict Decode(ReadOnlySpan<byte> data, bool end, IByteOutput bytes, IByteOutput frames, long now)
    {
        if (data.Length > 0)
        {
            NoteActivity(now);
        }
        while (!ended)
        {
            switch (reader.Read(ref data, bytes))
            {
                case FrameEvent.Ping when !closeSent:
                    writer.Write(Opcode.Pong, reader.Control, frames);
                    continue;
                case FrameEvent.Ping or FrameEvent.Pong:
                    continue;
                case FrameEvent.Close:
                    ended = true;
                    bytes.End();
                    return ByteVerdict.GoOn;
                case FrameEvent.Error:
                    return Refuse(reader.Error);
            }
            break;
        }
        if (!end || ended)
        {
            return ByteVerdict.GoOn;
        }
        if (!reader.IsBetweenFrames)
        {
            return Refuse("the connection ended within a frame");
        }
        ended = true;
        bytes.End();
        return ByteVerdict.GoOn;
    }

    /// <summary>Pings, if it is time.</summary>
    public void OnTimer(IByteOutput frames, long now)
    {
        if (now < NextPing)
        {
            return;
        }
        pings++;
        writer.Write(Opcode.Ping, Encoding.ASCII.GetBytes(pings.ToString(CultureInfo.InvariantCulture)), frames);
        counters.Count(WebSocketCount.PingSentCount);
        Schedule(now);
    }

    private void NoteActivity(long now)
    {
        if (options.PingWhenIdle && !closeSent)
        {
            Schedule(now);
        }
    }

    private void Schedule(long now)
    {
        if (options.PingMillis > 0)
        {
            NextPing = now + options.PingMillis + (long)(options.PingMillis * MaxJitter * options.Jitter());
        }
    }

    private ByteVerdict Refuse(string why)
    {
        counters.Count(WebSocketCount.ProtocolError);
        return ByteVerdict.Close("websocket_protocol_error", "unacceptable WebSocket frames (RFC 6455 §5): " + why);
    }
}
