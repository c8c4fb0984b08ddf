using System;
using Postern.Filters.Network.Bytes;
using Postern.Records;

namespace Postern.Filters.Network.WebSocket;

/// <summary>
/// <c>cilium.network.websocket.server</c>: takes the client's bytes out of WebSocket frames. The connection goes where the handshake says (x-envoy-original-dst-host), so
/// nothing is connected to before it was checked.
/// </summary>
public sealed class WebSocketServerFilter(WebSocketOptions options, ByteFilterContext context, IRecordSink sink, IWebSocketCounters counters)
    : WebSocketFilter(options, context, sink, counters, isServer: true)
{
    private const string Refused = "websocket_handshake_refused";

    /// <inheritdoc/>
    public override bool PausesDownstream => false;

    /// <inheritdoc/>
    public override bool HoldsConnect => IsInHandshake;

    /// <inheritdoc/>
    public override ByteVerdict OnDownstream(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs) => Decode(data, end, outputs.Upstream, outputs);

    /// <inheritdoc/>
    public override ByteVerdict OnUpstream(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs) => Encode(data, end, outputs);

    private protected override IByteOutput Frames(ByteOutputs outputs) => outputs.Downstream;

    private protected override ByteVerdict OnHandshake(HandshakeHead head, ByteOutputs outputs)
    {
        var answer = new HandshakeHead();
        if (HandshakeCheck.FindProblem(head, Options, out var destination) is { } problem)
        {
            return Refuse(head, answer, problem, outputs.Downstream);
        }
        Context.Destination = destination!;
        answer.AppendHeader("upgrade", "websocket");
        answer.AppendHeader("connection", "upgrade");
        answer.AppendHeader("sec-websocket-accept", AcceptKey.For(head.FindOnly("sec-websocket-key")!));
        EchoRequestId(head, answer);
        HandshakeText.Write("HTTP/1.1 101 Switching Protocols", answer, outputs.Downstream);
        Records.Request(head, EntryType.Request, RecordVerdict.AllowedReason, "");
        Records.Response(answer, 101, RecordVerdict.AllowedReason, "");
        return ByteVerdict.GoOn;
    }

    private ByteVerdict Refuse(HandshakeHead head, HandshakeHead answer, string problem, IByteOutput downstream)
    {
        Count(WebSocketCount.HandshakeInvalidWebsocketRequest);
        Count(WebSocketCount.AccessDenied);
        var detail = $"not the WebSocket handshake that cilium.network.websocket.server expects: {problem}";
        EchoRequestId(head, answer);
        answer.AppendHeader("content-length", "0");
        HandshakeText.Write("HTTP/1.1 403 Forbidden", answer, downstream);
        Records.Request(head, EntryType.Denied, Refused, detail);
        Records.Response(answer, 403, Refused, detail);
        return ByteVerdict.Close(Refused, detail, flush: true, told: true);
    }

    private static void EchoRequestId(HandshakeHead head, HandshakeHead answer)
    {
        if (head.FindOnly("x-request-id") is { } id)
        {
            answer.AppendHeader("x-request-id", id);
        }
    }
}
