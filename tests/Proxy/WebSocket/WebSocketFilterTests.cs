using System;
using System.Linq;
using Postern.Filters.Network.WebSocket;
using Postern.Records;

namespace Postern.Tests.Proxy.WebSocket;

/// <summary>Handshakes, limits, times and ends of both WebSocket filters.</summary>
public sealed class WebSocketFilterTests
{
    private const string Accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    private static readonly string[] Good =
    [
        "GET / HTTP/1.1", "Host: A.b", "Upgrade: WebSocket", "Connection: Upgrade", "Sec-WebSocket-Key: " + FilterHarness.Key, "Sec-WebSocket-Version: 13",
        "x-envoy-original-dst-host: 10.1.0.7:8080", "x-request-id: 7",
    ];

    [Fact]
    public void Client_WaitsForTheAnswerAndThenFrames()
    {
        var harness = new FilterHarness((false, FilterHarness.Options));
        var sent = harness.SentUp();
        Assert.StartsWith("GET / HTTP/1.1\r\nhost: a.b\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: " + FilterHarness.Key + "\r\nsec-websocket-version: 13\r\nx-envoy-original-dst-host: 10.0.0.1:80\r\nx-request-id: ", sent, StringComparison.Ordinal);
        Assert.EndsWith("\r\ncontent-length: 0\r\n\r\n", sent, StringComparison.Ordinal);
        harness.Client("hello", end: true);
        Assert.Equal("", harness.SentUp());

        harness.Server(Accepted + "\x82\x02hi");

        Assert.Equal("hi", harness.SentDown());
        Assert.Equal(11 + 6, harness.SentUp().Length);
        Assert.True(harness.Chain.ToUpstream.IsEnded);
        Assert.False(harness.Chain.Verdict.Closes);
        Assert.Equal([EntryType.Request, EntryType.Response], harness.Records.Seen.Select(r => r.Type));
    }

    [Theory]
    [InlineData("\x82", WebSocketCount.HandshakeNotHttp)]
    [InlineData("HTTP/1.0 101 x\r\n\r\n", WebSocketCount.HandshakeInvalidHttpVersion)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", WebSocketCount.HandshakeInvalidHttpStatus)]
    [InlineData("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", WebSocketCount.HandshakeInvalidWebsocketResponse)]
    [InlineData("HTTP/1.1 101 x\r\nA_b: c\r\n\r\n", WebSocketCount.HandshakeParseError)]
    [InlineData("HTTP/1.1 101 x\r\nA: b\nc: d\r\n\r\n", WebSocketCount.HandshakeParseError)]
    [InlineData("HTTP/1.1 101 x\r\nA: b\r\n c\r\n\r\n", WebSocketCount.HandshakeParseError)]
    public void Client_BadAnswer_ClosesWithoutFlush(string answer, WebSocketCount count)
    {
        var harness = new FilterHarness((false, FilterHarness.Options));
        harness.Server(answer);
        Assert.True(harness.Chain.Verdict is { Closes: true, Flushes: false });
        Assert.Equal([count], harness.Counts);
        Assert.Equal("websocket_handshake_failed", harness.Chain.Verdict.Reason);
    }

    [Fact]
    public void Client_AnswerThatNeverEnds_IsTooLarge()
    {
        var harness = new FilterHarness((false, FilterHarness.Options));
        harness.Server("HTTP/1.1 101 x\r\nA: ");
        harness.Server(new string('x', 4096));
        Assert.Equal([WebSocketCount.HandshakeTooLarge], harness.Counts);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NoHandshakeInTime_Closes(bool server)
    {
        var harness = new FilterHarness((server, FilterHarness.Options));
        harness.Advance(4999);
        Assert.False(harness.Chain.Verdict.Closes);
        harness.Advance(1);
        Assert.True(harness.Chain.Verdict.Closes);
        Assert.Equal([WebSocketCount.HandshakeTimeout], harness.Counts);
    }

    [Fact]
    public void Server_GoodHandshake_IsAgreedToAndMovesTheDestination()
    {
        var harness = new FilterHarness((true, FilterHarness.Options));
        Assert.True(harness.Chain.HoldsConnect);
        foreach (var c in string.Join("\r\n", Good) + "\r\n\r\n\x82\x05hello")
        {
            harness.Client(c.ToString());
        }
        Assert.False(harness.Chain.HoldsConnect);
        Assert.Equal("10.1.0.7:8080", harness.Destination.ToString());
        Assert.Equal("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nx-request-id: 7\r\n\r\n", harness.SentDown());
        Assert.Equal("hello", harness.SentUp());
        harness.Server("world", end: true);
        Assert.Equal("\x82\x05world\x88\0", harness.SentDown());
        harness.Client("\x88\0\x82\x01x", end: true);
        Assert.Equal("", harness.SentUp());
        Assert.True(harness.Chain.ToUpstream.IsEnded);
        Assert.False(harness.Chain.Verdict.Closes);
    }

    [Theory]
    [InlineData(1, "Host: b.a", "host is not")]
    [InlineData(1, "Host: a.b\r\nHost: a.b", "host comes twice")]
    [InlineData(2, "Upgrade: h2c", "upgrade")]
    [InlineData(3, "Connection: keep-alive, Upgrade", "connection")]
    [InlineData(3, "Connection: Upgrade\r\nConnection: Upgrade", "connection")]
    [InlineData(4, "Sec-WebSocket-Key: other", "sec-websocket-key")]
    [InlineData(5, "Sec-WebSocket-Version: 8", "version")]
    [InlineData(5, "X: y", "version is missing")]
    [InlineData(6, "x-envoy-original-dst-host: 10.1.0.7", "original-dst")]
    [InlineData(6, "x-envoy-original-dst-host: example:80", "original-dst")]
    [InlineData(6, "x-envoy-original-dst-host: 10.1.7:80", "original-dst")]
    [InlineData(6, "x-envoy-original-dst-host: 10.1.0.7:0", "original-dst")]
    [InlineData(6, "x-envoy-original-dst-host: ::1:80", "original-dst")]
    [InlineData(7, "Origin: x", "none is configured")]
    [InlineData(7, "Sec-WebSocket-Protocol: chat", "sub-protocol")]
    [InlineData(7, "Sec-WebSocket-Extensions: permessage-deflate", "extension")]
    [InlineData(7, "Content-Length: 5", "no body")]
    [InlineData(7, "Transfer-Encoding: chunked", "no body")]
    public void Server_OtherHandshake_Is403AndNothingIsConnectedTo(int line, string instead, string why)
    {
        var harness = new FilterHarness((true, FilterHarness.Options));
        var lines = (string[])Good.Clone();
        lines[line] = instead;
        harness.Client(string.Join("\r\n", lines) + "\r\n\r\n");
        Assert.True(harness.Chain.Verdict is { Closes: true, Flushes: true, IsTold: true });
        Assert.StartsWith("HTTP/1.1 403 Forbidden\r\n", harness.SentDown(), StringComparison.Ordinal);
        Assert.Equal([WebSocketCount.HandshakeInvalidWebsocketRequest, WebSocketCount.AccessDenied], harness.Counts);
        Assert.Equal([EntryType.Denied, EntryType.Response], harness.Records.Seen.Select(r => r.Type));
        Assert.Contains(why, harness.Records.Seen[0].Fields["detail"], StringComparison.Ordinal);
        Assert.True(harness.Chain.HoldsConnect);
        Assert.Equal("10.0.0.1:80", harness.Destination.ToString());
    }

    [Theory]
    [InlineData("POST", WebSocketCount.HandshakeNotHttp)]
    [InlineData("GET / HTTP/1.0\r\n\r\n", WebSocketCount.HandshakeInvalidHttpVersion)]
    [InlineData("GET  / HTTP/1.1\r\n\r\n", WebSocketCount.HandshakeParseError)]
    [InlineData("GET / HTTP/1.1\r\nX-Envoy_original-dst-host: 1.2.3.4:5\r\n\r\n", WebSocketCount.HandshakeParseError)]
    public void Server_NoHandshakeAtAll_ClosesAtOnce(string text, WebSocketCount count)
    {
        var harness = new FilterHarness((true, FilterHarness.Options));
        harness.Client(text);
        Assert.True(harness.Chain.Verdict is { Closes: true, Flushes: false });
        Assert.Equal([count], harness.Counts);
        Assert.Equal("", harness.SentDown());
    }

    [Fact]
    public void Pings_ComeAtTheIntervalWithJitterAndCount()
    {
        var harness = new FilterHarness((false, FilterHarness.Options with { PingMillis = 1000 }));
        harness.Server(Accepted);
        harness.SentUp();
        harness.Advance(1149);
        Assert.Equal("", harness.SentUp());
        harness.Advance(1);
        Assert.Equal(7, harness.SentUp().Length);
        harness.Server("x"[..0] + "\x82\x01x");
        harness.Advance(1150);
        Assert.Equal([WebSocketCount.PingSentCount, WebSocketCount.PingSentCount], harness.Counts);
    }

    [Fact]
    public void PingWhenIdle_DataPutsItOff()
    {
        var harness = new FilterHarness((false, FilterHarness.Options with { PingMillis = 1000, PingWhenIdle = true }));
        harness.Server(Accepted);
        harness.Advance(1000);
        harness.Server("\x82\x01x");
        harness.Advance(1149);
        Assert.Empty(harness.Counts);
        harness.Advance(1);
        Assert.Equal([WebSocketCount.PingSentCount], harness.Counts);
    }

    [Fact]
    public void Ping_IsAnsweredWithItsPayload()
    {
        var harness = new FilterHarness((true, FilterHarness.Options));
        harness.Client(string.Join("\r\n", Good) + "\r\n\r\n");
        harness.SentDown();
        harness.Client("\x89\x03" + "abc");
        Assert.Equal("\x8a\x03" + "abc", harness.SentDown());
    }

    [Fact]
    public void ConnectionEndsWithinAFrame_IsNoOrderlyEnd()
    {
        var harness = new FilterHarness((true, FilterHarness.Options));
        harness.Client(string.Join("\r\n", Good) + "\r\n\r\n");
        harness.Client("\x82\x05hel", end: true);
        Assert.True(harness.Chain.Verdict is { Closes: true, Flushes: false, Reason: "websocket_protocol_error" });
        Assert.Equal([WebSocketCount.ProtocolError], harness.Counts);
    }

    [Fact]
    public void ClientAndServerInOneChain_AreTransparent()
    {
        var random = new Random(3);
        var expected = new System.Text.StringBuilder();
        var harness = new FilterHarness((false, FilterHarness.Options), (true, FilterHarness.Options));
        var up = "";
        for (var i = 0; i < 200; i++)
        {
            var text = new string((char)('a' + (i % 26)), random.Next(1, 3000));
            expected.Append(text);
            harness.Client(text);
            harness.Server(text);
            up += harness.SentUp();
        }
        Assert.Equal(expected.ToString(), up);
        Assert.Equal(expected.ToString(), harness.SentDown());
    }
}
