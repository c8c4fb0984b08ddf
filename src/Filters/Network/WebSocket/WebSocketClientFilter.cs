using System;
using Postern.Filters.Network.Bytes;
using Postern.Records;

namespace Postern.Filters.Network.WebSocket;

/// <summary>
/// <c>cilium.network.websocket.client</c>: puts the client's bytes into WebSocket frames towards the server. Sends the handshake when the client is there; the client's
/// bytes wait until the server has agreed.
/// </summary>
public sealed class WebSocketClientFilter(WebSocketOptions options, ByteFilterContext context, IRecordSink sink, IWebSocketCounters counters)
    : WebSocketFilter(options, context, sink, counters, isServer: false)
{
    /// <inheritdoc/>
    public override bool PausesDownstream => IsInHandshake;

    /// <inheritdoc/>
    public override bool HoldsConnect => false;

    /// <inheritdoc/>
    public override ByteVerdict OnConnect(ByteOutputs outputs)
    {
        var head = new HandshakeHead { RequestMethod = "GET", Target = Options.Path };
        head.AppendHeader("host", Options.Host);
        head.AppendHeader("upgrade", "websocket");
        head.AppendHeader("connection", "upgrade");
        head.AppendHeader("sec-websocket-key", Options.Key);
        head.AppendHeader("sec-websocket-version", Options.Version);
        if (Options.Origin.Length > 0)
        {
            head.AppendHeader("origin", Options.Origin);
        }
        head.AppendHeader("x-envoy-original-dst-host", Context.Destination.ToString());
        head.AppendHeader("x-request-id", Guid.NewGuid().ToString());
        head.AppendHeader("content-length", "0");
        HandshakeText.Write($"GET {Options.Path} HTTP/1.1", head, outputs.Upstream);
        Records.Request(head, EntryType.Request, RecordVerdict.AllowedReason, "");
        return base.OnConnect(outputs);
    }

    /// <inheritdoc/>
    public override ByteVerdict OnDownstream(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs) => Encode(data, end, outputs);

    /// <inheritdoc/>
    public override ByteVerdict OnUpstream(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs) => Decode(data, end, outputs.Downstream, outputs);

    private protected override IByteOutput Frames(ByteOutputs outputs) => outputs.Upstream;

    private protected override ByteVerdict OnHandshake(HandshakeHead head, ByteOutputs outputs)
    {
        if (head.Status != 101)
        {
            var detail = $"the server answered the WebSocket handshake with {head.Status} in the place of 101; check host, path and origin";
            Records.Response(head, head.Status, FailedReason, detail);
            return Fail(WebSocketCount.HandshakeInvalidHttpStatus, detail, told: true);
        }
        if (!Fits(head))
        {
            const string Detail = "the server's 101 does not fit the handshake: connection, upgrade or sec-websocket-accept is missing or wrong";
            Records.Response(head, head.Status, FailedReason, Detail);
            return Fail(WebSocketCount.HandshakeInvalidWebsocketResponse, Detail, told: true);
        }
        Records.Response(head, head.Status, RecordVerdict.AllowedReason, "");
        return ByteVerdict.GoOn;
    }

    private bool Fits(HandshakeHead head) =>
        string.Equals(head.FindOnly("connection"), "upgrade", StringComparison.OrdinalIgnoreCase)
        && string.Equals(head.FindOnly("upgrade"), "websocket", StringComparison.OrdinalIgnoreCase)
        && head.FindOnly("sec-websocket-accept") == AcceptKey.For(Options.Key)
        && !head.Has("sec-websocket-extensions") && !head.Has("sec-websocket-protocol"); // RFC 6455 §4.1: none was asked for
}
