using System;
using Postern.Filters.Network.Bytes;
using Postern.Records;

namespace Postern.Filters.Network.WebSocket;

/// <summary>
/// <c>cilium.network.websocket.server</c>: takes the client's bytes out of WebSocket frames. The connection goes where the handshake says (x-envoy-original-dst-host), so
/// nothing is connected to before it was checked.
/// </summary>
public sealed class WebSocketServerFilter : IByteFilter
{
    private const string Refused = "websocket_handshake_refused";

    private readonly WebSocketOptions options;
    private readonly ByteFilterContext context;
    private readonly IWebSocketCounters counters;
    private readonly HandshakeRecords records;
    private readonly FrameFlow flow;
    private HandshakeReader? handshake = new(response: false);
    private long deadline;

    /// <summary>Creates it.</summary>
    public WebSocketServerFilter(WebSocketOptions options, ByteFilterContext context, IRecordSink sink, IWebSocketCounters counters)
    {
        this.options = options;
        this.context = context;
        this.counters = counters;
        records = new HandshakeRecords(context, sink);
        flow = new FrameFlow(options, masks: false, counters);
    }

    /// <inheritdoc/>
    public long NextTimer => handshake is null ? flow.NextPing : deadline;

    /// <inheritdoc/>
    public bool PausesDownstream => false;

    /// <inheritdoc/>
    public bool HoldsConnect => handshake is not null;

    /// <inheritdoc/>
    public ByteVerdict OnConnect(ByteOutputs outputs)
    {
        deadline = outputs.Now + options.HandshakeMillis;
        return ByteVerdict.GoOn;
    }

    /// <inheritdoc/>
    public ByteVerdict OnDownstream(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs)
    {
        if (handshake is not null)
        {
            var verdict = ReadRequest(ref data, end, outputs);
            if (verdict.Closes || handshake is not null)
            {
                return verdict;
            }
        }
        return flow.Decode(data, end, outputs.Upstream, outputs.Downstream, outputs.Now);
    }

    /// <inheritdoc/>
    public ByteVerdict OnUpstream(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs)
    {
        flow.Encode(data, end, outputs.Downstream, outputs.Now);
        return ByteVerdict.GoOn;
    }

    /// <inheritdoc/>
    public ByteVerdict OnTimer(ByteOutputs outputs)
    {
        if (handshake is null)
        {
            flow.OnTimer(outputs.Downstream, outputs.Now);
            return ByteVerdict.GoOn;
        }
        return outputs.Now < deadline
            ? ByteVerdict.GoOn
            : Fail(WebSocketCount.HandshakeTimeout, $"the client did not complete the WebSocket handshake within handshake_timeout {options.HandshakeMillis} ms");
    }

    private ByteVerdict ReadRequest(ref ReadOnlySpan<byte> data, bool end, ByteOutputs outputs)
    {
        var error = handshake!.Read(ref data);
        if (error == HandshakeError.Incomplete)
        {
            return end ? Fail(WebSocketCount.HandshakeParseError, "the client closed the connection within the WebSocket handshake") : ByteVerdict.GoOn;
        }
        if (error != HandshakeError.None)
        {
            var (count, detail) = WebSocketFailure.Of(error);
            return Fail(count, detail);
        }
        var head = handshake.Head;
        var answer = new HandshakeHead();
        if (HandshakeCheck.FindProblem(head, options, out var destination) is { } problem)
        {
            return Refuse(head, answer, problem, outputs.Downstream);
        }
        context.Destination = destination!;
        answer.AppendHeader("upgrade", "websocket");
        answer.AppendHeader("connection", "upgrade");
        answer.AppendHeader("sec-websocket-accept", AcceptKey.For(head.FindOnly("sec-websocket-key")!));
        EchoRequestId(head, answer);
        HandshakeText.Write("HTTP/1.1 101 Switching Protocols", answer, outputs.Downstream);
        records.Request(head, EntryType.Request, RecordVerdict.AllowedReason, "");
        records.Response(answer, 101, RecordVerdict.AllowedReason, "");
        handshake = null;
        flow.Begin(outputs.Now);
        return ByteVerdict.GoOn;
    }

    private ByteVerdict Refuse(HandshakeHead head, HandshakeHead answer, string problem, IByteOutput downstream)
    {
        counters.Count(WebSocketCount.HandshakeInvalidWebsocketRequest);
        counters.Count(WebSocketCount.AccessDenied);
        var detail = $"not the WebSocket handshake that cilium.network.websocket.server expects: {problem}";
        EchoRequestId(head, answer);
        answer.AppendHeader("content-length", "0");
        HandshakeText.Write("HTTP/1.1 403 Forbidden", answer, downstream);
        records.Request(head, EntryType.Denied, Refused, detail);
        records.Response(answer, 403, Refused, detail);
        return ByteVerdict.Close(Refused, detail, flush: true, told: true);
    }

    private static void EchoRequestId(HandshakeHead head, HandshakeHead answer)
    {
        if (head.FindOnly("x-request-id") is { } id)
        {
            answer.AppendHeader("x-request-id", id);
        }
    }

    private ByteVerdict Fail(WebSocketCount count, string detail)
    {
        counters.Count(count);
        return ByteVerdict.Close("websocket_handshake_failed", detail);
    }
}
