using System;
using Postern.Filters.Network.Bytes;
using Postern.Records;

namespace Postern.Filters.Network.WebSocket;

/// <summary>What both roles have in common: one side speaks WebSocket, after a handshake within its time; the other side's bytes are bare.</summary>
public abstract class WebSocketFilter : IByteFilter
{
    private protected const string FailedReason = "websocket_handshake_failed";

    private readonly IWebSocketCounters counters;
    private readonly FrameFlow flow;
    private readonly string peer;
    private HandshakeReader? handshake;
    private long deadline;

    private protected WebSocketFilter(WebSocketOptions options, ByteFilterContext context, IRecordSink sink, IWebSocketCounters counters, bool isServer)
    {
        this.counters = counters;
        Options = options;
        Context = context;
        Records = new HandshakeRecords(context, sink);
        flow = new FrameFlow(options, masks: !isServer, counters);
        peer = isServer ? "client" : "server";
        handshake = new HandshakeReader(response: !isServer);
    }

    /// <inheritdoc/>
    public long NextTimer => handshake is null ? flow.NextPing : deadline;

    /// <inheritdoc/>
    public abstract bool PausesDownstream { get; }

    /// <inheritdoc/>
    public abstract bool HoldsConnect { get; }

    private protected bool IsInHandshake => handshake is not null;

    private protected WebSocketOptions Options { get; }

    private protected ByteFilterContext Context { get; }

    private protected HandshakeRecords Records { get; }

    /// <inheritdoc/>
    public virtual ByteVerdict OnConnect(ByteOutputs outputs)
    {
        deadline = outputs.Now + Options.HandshakeMillis;
        return ByteVerdict.GoOn;
    }

    /// <inheritdoc/>
    public abstract ByteVerdict OnDownstream(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs);

    /// <inheritdoc/>
    public abstract ByteVerdict OnUpstream(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs);

    /// <inheritdoc/>
    public ByteVerdict OnTimer(ByteOutputs outputs)
    {
        if (handshake is null)
        {
            flow.OnTimer(Frames(outputs), outputs.Now);
            return ByteVerdict.GoOn;
        }
        return outputs.Now < deadline
            ? ByteVerdict.GoOn
            : Fail(WebSocketCount.HandshakeTimeout, $"the {peer} did not complete the WebSocket handshake within handshake_timeout {Options.HandshakeMillis} ms");
    }

    /// <summary>Towards the side that speaks WebSocket.</summary>
    private protected abstract IByteOutput Frames(ByteOutputs outputs);

    /// <summary>Its head is whole; anything but a verdict that closes is the handshake's end.</summary>
    private protected abstract ByteVerdict OnHandshake(HandshakeHead head, ByteOutputs outputs);

    /// <summary>From the side whose bytes are bare.</summary>
    private protected ByteVerdict Encode(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs)
    {
        flow.Encode(data, end, Frames(outputs), outputs.Now);
        return ByteVerdict.GoOn;
    }

    /// <summary>From the side that speaks WebSocket: the handshake, then frames.</summary>
    private protected ByteVerdict Decode(ReadOnlySpan<byte> data, bool end, IByteOutput bytes, ByteOutputs outputs)
    {
        if (handshake is not null)
        {
            var verdict = ReadHandshake(handshake, ref data, end, outputs);
            if (verdict.Closes || handshake is not null)
            {
                return verdict;
            }
        }
        return flow.Decode(data, end, bytes, Frames(outputs), outputs.Now);
    }

    private protected ByteVerdict Fail(WebSocketCount count, string detail, bool told = false)
    {
        Count(count);
        return ByteVerdict.Close(FailedReason, detail, told: told);
    }

    private protected void Count(WebSocketCount count) => counters.Count(count);

    private ByteVerdict ReadHandshake(HandshakeReader reader, ref ReadOnlySpan<byte> data, bool end, ByteOutputs outputs)
    {
        var error = reader.Read(ref data);
        if (error == HandshakeError.Incomplete)
        {
            return end ? Fail(WebSocketCount.HandshakeParseError, $"the {peer} closed the connection within the WebSocket handshake") : ByteVerdict.GoOn;
        }
        if (error != HandshakeError.None)
        {
            var (count, detail) = WebSocketFailure.Of(error);
            return Fail(count, detail);
        }
        var verdict = OnHandshake(reader.Head, outputs);
        if (!verdict.Closes)
        {
            handshake = null;
            flow.Begin(outputs.Now);
        }
        return verdict;
    }
}
