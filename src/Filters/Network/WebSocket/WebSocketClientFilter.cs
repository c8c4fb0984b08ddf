using System;
using Postern.Filters.Network.Bytes;
using Postern.Records;

namespace Postern.Filters.Network.WebSocket;

/// <summary>
/// <c>cilium.network.websocket.client</c>: puts the client's bytes into WebSocket frames towards the server. Sends the handshake when the client is there; the client's
/// bytes wait until the server has agreed.
/// </summary>
public sealed class WebSocketClientFilter : IByteFilter
{
    private const string Failed = "websocket_handshake_failed";

    private readonly WebSocketOptions options;
    private readonly ByteFilterContext context;
    private readonly IWebSocketCounters counters;
    private readonly HandshakeRecords records;
    private readonly FrameFlow flow;
    private HandshakeReader? handshake = new(response: true);
    private long deadline;

    /// <summary>Creates it.</summary>
    public WebSocketClientFilter(WebSocketOptions options, ByteFilterContext context, IRecordSink sink, IWebSocketCounters counters)
    {
        this.options = options;
        this.context = context;
        this.counters = counters;
        records = new HandshakeRecords(context, sink);
        flow = new FrameFlow(options, masks: true, counters);
    }

    /// <inheritdoc/>
    public long NextTimer => handshake is null ? flow.NextPing : deadline;

    /// <inheritdoc/>
    public bool PausesDownstream => handshake is not null;

    /// <inheritdoc/>
    public bool HoldsConnect => false;

    /// <inheritdoc/>
    public ByteVerdict OnConnect(ByteOutputs outputs)
    {
        deadline = outputs.Now + options.HandshakeMillis;
        var head = new HandshakeHead { RequestMethod = "GET", Target = options.Path };
        head.AppendHeader("host", options.Host);
        head.AppendHeader("upgrade", "websocket");
        head.AppendHeader("connection", "upgrade");
        head.AppendHeader("sec-websocket-key", options.Key);
        head.AppendHeader("sec-websocket-version", options.Version);
        if (options.Origin.Length > 0)
        {
            head.AppendHeader("origin", options.Origin);
        }
        head.AppendHeader("x-envoy-original-dst-host", context.Destination.ToString());
        head.AppendHeader("x-request-id", Guid.NewGuid().ToString());
        head.AppendHeader("content-length", "0");
        HandshakeText.Write($"GET {options.Path} HTTP/1.1", head, outputs.Upstream);
        records.Request(head, EntryType.Request, RecordVerdict.AllowedReason, "");
        return ByteVerdict.GoOn;
    }

    /// <inheritdoc/>
    public ByteVerdict OnDownstream(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs)
    {
        flow.Encode(data, end, outputs.Upstream, outputs.Now);
        return ByteVerdict.GoOn;
    }

    /// <inheritdoc/>
    public ByteVerdict OnUpstream(ReadOnlySpan<byte> data, bool end, ByteOutputs outputs)
    {
        if (handshake is not null)
        {
            var verdict = ReadAnswer(ref data, end, outputs.Now);
            if (verdict.Closes || handshake is not null)
            {
                return verdict;
            }
        }
        return flow.Decode(data, end, outputs.Downstream, outputs.Upstream, outputs.Now);
    }

    /// <inheritdoc/>
    public ByteVerdict OnTimer(ByteOutputs outputs)
    {
        if (handshake is null)
        {
            flow.OnTimer(outputs.Upstream, outputs.Now);
            return ByteVerdict.GoOn;
        }
        return outputs.Now < deadline
            ? ByteVerdict.GoOn
            : Fail(WebSocketCount.HandshakeTimeout, $"the server did not complete the WebSocket handshake within handshake_timeout {options.HandshakeMillis} ms");
    }

    private ByteVerdict ReadAnswer(ref ReadOnlySpan<byte> data, bool end, long now)
    {
        var error = handshake!.Read(ref data);
        if (error == HandshakeError.Incomplete)
        {
            return end ? Fail(WebSocketCount.HandshakeParseError, "the server closed the connection within the WebSocket handshake") : ByteVerdict.GoOn;
        }
        if (error != HandshakeError.None)
        {
            var (count, detail) = WebSocketFailure.Of(error);
            return Fail(count, detail);
        }
        var head = handshake.Head;
        if (head.Status != 101)
        {
            var detail = $"the server answered the WebSocket handshake with {head.Status} in the place of 101; check host, path and origin";
            records.Response(head, head.Status, Failed, detail);
            return Fail(WebSocketCount.HandshakeInvalidHttpStatus, detail, told: true);
        }
        if (!Fits(head))
        {
            const string Detail = "the server's 101 does not fit the handshake: connection, upgrade or sec-websocket-accept is missing or wrong";
            records.Response(head, head.Status, Failed, Detail);
            return Fail(WebSocketCount.HandshakeInvalidWebsocketResponse, Detail, told: true);
        }
        records.Response(head, head.Status, RecordVerdict.AllowedReason, "");
        handshake = null;
        flow.Begin(now);
        return ByteVerdict.GoOn;
    }

    private bool Fits(HandshakeHead head) =>
        string.Equals(head.FindOnly("connection"), "upgrade", StringComparison.OrdinalIgnoreCase)
        && string.Equals(head.FindOnly("upgrade"), "websocket", StringComparison.OrdinalIgnoreCase)
        && head.FindOnly("sec-websocket-accept") == AcceptKey.For(options.Key)
        && !head.Has("sec-websocket-extensions") && !head.Has("sec-websocket-protocol"); // RFC 6455 §4.1: none was asked for

    private ByteVerdict Fail(WebSocketCount count, string detail, bool told = false)
    {
        counters.Count(count);
        return ByteVerdict.Close(Failed, detail, flush: false, told);
    }
}
