using System;
using System.Buffers.Binary;
using Postern.Proxy.Errors;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Proxy.Http2;

/// <summary>What each frame does (RFC 9113 §6). On the read loop.</summary>
internal abstract partial class Http2Session
{
    private static readonly DroppedFields Dropped = new();

    private readonly PeerSettings peer = new();
    private FloodGuard flood;
    private HeaderAssembly assembly;
    private RecentIds recentlyReset; // under the gate
    private FlowWindow receiveWindow; // likewise: what the peer may send on all streams together
    private int consumed; // likewise: read since the last WINDOW_UPDATE of the connection
    private int streamWindow; // likewise: what the peer may send on a new stream

    /// <summary>What the peer said of itself; under the gate.</summary>
    protected PeerSettings Peer => peer;

    /// <summary>A header block came whole. Faults that end only a stream are the role's to carry out.</summary>
    protected abstract Http2Fault? OnHeaderBlock(int streamId, ReadOnlySpan<byte> block, bool endsStream);

    /// <summary>Nobody has opened that stream yet. Under the gate.</summary>
    protected abstract bool IsIdle(int streamId);

    /// <summary>The peer reset a stream; under the gate.</summary>
    protected abstract Http2Fault? OnPeerReset(Http2Stream stream, Http2ErrorCode code, ref WakeList wakes);

    /// <summary>The peer's GOAWAY.</summary>
    protected abstract void OnGoAway(int lastStreamId, Http2ErrorCode code);

    /// <summary>Its SETTINGS were applied.</summary>
    protected virtual void OnSettings()
    {
    }

    /// <summary>The error of a stream that ended by this fault.</summary>
    protected abstract ProxyError ErrorOf(Http2Fault wrong);

    /// <summary>Keeps the decoder's table in step with a block that nobody wants.</summary>
    protected Http2Fault? DropBlock(ReadOnlySpan<byte> block) => Decoder.Decode(block, Dropped) == HpackError.None ? null : Http2Fault.Compression;

    private Http2Fault? OnFrame(in FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if (assembly.StreamId != 0)
        {
            return frame.Type == FrameType.Continuation && frame.StreamId == assembly.StreamId ? OnContinuation(frame, payload) : Http2Fault.HeaderBlockBroken;
        }
        if (!peer.Received && (frame.Type != FrameType.Settings || frame.IsAck))
        {
            return Http2Fault.Preface;
        }
        switch (frame.Type)
        {
            case FrameType.Data:
                return OnData(frame, payload);
            case FrameType.Headers:
                return OnHeaders(frame, payload);
            case FrameType.Priority:
                return flood.OnPriority();
            case FrameType.RstStream:
                return OnRstStream(frame.StreamId, FrameRules.ReadCode(payload));
            case FrameType.Settings:
                return OnSettings(frame, payload);
            case FrameType.Ping:
                return OnPing(frame, payload);
            case FrameType.GoAway:
                OnGoAway(FrameRules.ReadUInt31(payload), FrameRules.ReadCode(payload[4..]));
                return null;
            case FrameType.WindowUpdate:
                return OnWindowUpdate(frame.StreamId, FrameRules.ReadUInt31(payload));
            case FrameType.Continuation:
                return Http2Fault.HeaderBlockBroken;
            default:
                return null;
        }
    }

    // Its length is wrong in a way that would only end a stream, but its place may be wrong too.
    private Http2Fault? OnWrongFrame(in FrameHeader frame, Http2Fault wrong)
    {
        if (assembly.StreamId != 0)
        {
            return Http2Fault.HeaderBlockBroken;
        }
        return peer.Received ? flood.OnPriority() ?? wrong : Http2Fault.Preface;
    }

    private Http2Fault? OnHeaders(in FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if ((FrameRules.Strip(frame, ref payload) ?? flood.OnPayload(frame, payload.Length)) is { } wrong)
        {
            return wrong;
        }
        return frame.EndsHeaders ? OnHeaderBlock(frame.StreamId, payload, frame.EndsStream) : assembly.Begin(frame.StreamId, frame.EndsStream, payload);
    }

    private Http2Fault? OnContinuation(in FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if ((flood.OnPayload(frame, payload.Length) ?? assembly.Continue(payload)) is { } wrong)
        {
            return wrong;
        }
        if (!frame.EndsHeaders)
        {
            return null;
        }
        var result = OnHeaderBlock(assembly.StreamId, assembly.Block, assembly.EndsStream);
        assembly.Clear();
        return result;
    }

    private Http2Fault? OnData(in FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if ((FrameRules.Strip(frame, ref payload) ?? flood.OnPayload(frame, payload.Length)) is { } wrong)
        {
            return wrong;
        }
        var wakes = default(WakeList);
        lock (Gate)
        {
            if (frame.Length > receiveWindow.Size)
            {
                return Http2Fault.ConnectionWindow;
            }
            receiveWindow.Take(frame.Length);
            wrong = TakeData(frame, payload, ref wakes);
        }
        Wake(ref wakes);
        return wrong;
    }

    // Under the gate. What is not queued is given back to the connection's window here; what is, when it is read.
    private Http2Fault? TakeData(in FrameHeader frame, ReadOnlySpan<byte> data, ref WakeList wakes)
    {
        if (!Streams.TryGetValue(frame.StreamId, out var target))
        {
            Credit(frame.Length);
            return IsIdle(frame.StreamId) ? Http2Fault.IdleStream : recentlyReset.Contains(frame.StreamId) ? null : Http2Fault.ClosedStream;
        }
        var wrong =
            target.RemoteEnded ? Http2Fault.HalfClosedStream
            : target.AwaitsHead ? Http2Fault.Malformed
            : frame.Length > target.ReceiveWindow.Size ? Http2Fault.StreamWindow
            : IsWrongLength(target, data.Length, frame.EndsStream) ? Http2Fault.ContentLength
            : null;
        if (wrong is not null)
        {
            Credit(frame.Length);
            return wrong;
        }
        target.ReceiveWindow.Take(frame.Length);
        target.Received += data.Length;
        if (target.IsDiscarding)
        {
            Credit(frame.Length);
        }
        else
        {
            Credit(target, frame.Length - data.Length);
            if (!data.IsEmpty)
            {
                target.Body.Append(data);
            }
        }
        if (frame.EndsStream)
        {
            EndRemote(target);
        }
        if (!data.IsEmpty || frame.EndsStream)
        {
            WakeReader(target, ref wakes);
        }
        return null;
    }

    /// <summary>These bytes, or the end behind them, are not what content-length said (RFC 9113 §8.1.1). Under the gate.</summary>
    protected static bool IsWrongLength(Http2Stream target, int bytes, bool ends)
    {
        var total = target.Received + bytes;
        return target.Expected >= 0 && (ends ? total != target.Expected : total > target.Expected);
    }

    private Http2Fault? OnRstStream(int streamId, Http2ErrorCode code)
    {
        Http2Fault? wrong;
        var wakes = default(WakeList);
        lock (Gate)
        {
            if (!Streams.TryGetValue(streamId, out var target))
            {
                return IsIdle(streamId) ? Http2Fault.IdleStream : null;
            }
            Stats.ResetsReceived.Increment();
            wrong = OnPeerReset(target, code, ref wakes);
        }
        Wake(ref wakes);
        return wrong;
    }

    private Http2Fault? OnSettings(in FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if (frame.IsAck)
        {
            lock (Gate)
            {
                OnSettingsAck();
            }
            return null;
        }
        if (TakeSettings(payload) is { } wrong)
        {
            return wrong;
        }
        lock (Gate)
        {
            output.SettingsAck();
        }
        OnSettings();
        return null;
    }

    /// <summary>What the peer says of itself; without an answer.</summary>
    protected Http2Fault? TakeSettings(ReadOnlySpan<byte> payload)
    {
        var wakes = default(WakeList);
        lock (Gate)
        {
            var before = peer.InitialWindow;
            if (peer.Apply(payload, fromServer: !isServer) is { } wrong)
            {
                return wrong;
            }
            foreach (var (_, open) in Streams)
            {
                if (!open.SendWindow.TryGrow(peer.InitialWindow - before))
                {
                    return Http2Fault.WindowOverflow;
                }
                Requeue(open);
            }
            encoder.SetPeerTableSize(Math.Min(peer.HeaderTableSize, Options.HpackTableSize));
            SendQueued(ref wakes);
        }
        Wake(ref wakes);
        return null;
    }

    // Under the gate. From here on a configured window below the default holds.
    private void OnSettingsAck()
    {
        if (settingsSentAt == 0)
        {
            return;
        }
        settingsSentAt = 0;
        var change = Options.InitialStreamWindow - streamWindow;
        if (change != 0)
        {
            streamWindow = Options.InitialStreamWindow;
            foreach (var (_, open) in Streams)
            {
                open.ReceiveWindow.TryGrow(change);
            }
        }
    }

    private Http2Fault? OnPing(in FrameHeader frame, ReadOnlySpan<byte> opaque)
    {
        if (!frame.IsAck)
        {
            lock (Gate)
            {
                output.Ping(opaque, ack: true);
            }
            return null;
        }
        switch (BinaryPrimitives.ReadUInt64BigEndian(opaque))
        {
            case var mark when mark == KeepAliveMark:
                pingSentAt = 0;
                break;
            case var mark when mark == DrainMark && draining:
                FinishDrain();
                break;
            default:
                break;
        }
        return null;
    }

    private Http2Fault? OnWindowUpdate(int streamId, int increment)
    {
        var wakes = default(WakeList);
        lock (Gate)
        {
            if (flood.OnWindowUpdate() is { } flooded)
            {
                return flooded;
            }
            if (streamId == 0)
            {
                if (increment == 0)
                {
                    return Http2Fault.ZeroIncrement;
                }
                if (!sendWindow.TryGrow(increment))
                {
                    return Http2Fault.WindowOverflow;
                }
            }
            else if (!Streams.TryGetValue(streamId, out var target))
            {
                return IsIdle(streamId) ? Http2Fault.IdleStream : null;
            }
            else if (increment == 0)
            {
                return Http2Fault.StreamZeroIncrement;
            }
            else if (!target.SendWindow.TryGrow(increment))
            {
                return Http2Fault.StreamWindowOverflow;
            }
            else
            {
                Requeue(target);
            }
            SendQueued(ref wakes);
        }
        Wake(ref wakes);
        return null;
    }

    private sealed class DroppedFields : IFieldSink
    {
        public bool OnField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed) => false;
    }
}
