using System;
using System.Buffers;
using System.Text;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Tests.Proxy.Http2;

public sealed class HeadWriterTests
{
    private readonly HpackEncoder encoder = new();
    private byte[] buffer = [];

    [Theory]
    [InlineData(
        "POST /a?b HTTP/1.1\r\nHost: Shop\r\nAccept: x\r\nX-ODD: Y\r\nContent-Length: 2\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nTE: trailers\r\n\r\n",
        ":method: POST|:scheme: http|:authority: Shop|:path: /a?b|accept: x|x-odd: Y|content-length: 2")]
    [InlineData("GET http://Shop:81/a HTTP/1.1\r\nHost: shop:81\r\n\r\n", ":method: GET|:scheme: http|:authority: Shop:81|:path: /a")]
    [InlineData("GET http://shop HTTP/1.1\r\nHost: shop\r\n\r\n", ":method: GET|:scheme: http|:authority: shop|:path: /")]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", ":method: OPTIONS|:scheme: http|:authority: a|:path: *")]
    [InlineData("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", ":method: CONNECT|:authority: a:1")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", ":method: POST|:scheme: http|:authority: a|:path: /")]
    [InlineData("GET / HTTP/1.0\r\n\r\n", ":method: GET|:scheme: http|:path: /")]
    public void Http1Request_IsWrittenInTheTermsOfHttp2(string request, string fields) => Assert.Equal(fields, Written(Parsed(request)));

    [Fact]
    public void UpgradeOfHttp1_IsWrittenAsExtendedConnect()
    {
        var head = Parsed("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n");
        head.UpgradeProtocol = "websocket";
        Assert.Equal(":method: CONNECT|:protocol: websocket|:scheme: http|:authority: a|:path: /chat|sec-websocket-version: 13", Written(head));
    }

    [Fact]
    public void LinesOfOneHop_AreNeverWritten()
    {
        var head = Parsed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        foreach (var name in new[] { "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "HTTP2-Settings", "TE", "Host" })
        {
            head.AppendHeader(name, "x"); // what an action could add
        }
        head.AppendHeader("TE", "Trailers");
        Assert.Equal(":method: GET|:scheme: http|:authority: a|:path: /|te: Trailers", Written(head));
        var response = new ResponseHead();
        response.Begin(200);
        response.AppendHeader("Connection", "close");
        response.AppendHeader("Server", "s");
        Assert.Equal(":status: 200|server: s", Decoded(HeadWriter.WriteResponse(encoder, response, ref buffer, 0)));
    }

    [Theory]
    [InlineData("GET /old/x HTTP/1.1\r\nHost: a\r\n\r\n", "/new/x")]
    [InlineData("GET http://a/old/x HTTP/1.1\r\nHost: a\r\n\r\n", "http://a/new/x")] // as a route's rewrite says it
    public void RewrittenTarget_IsThePath(string request, string rewritten)
    {
        var head = Parsed(request);
        head.UpstreamTarget = rewritten;
        Assert.Equal(":method: GET|:scheme: http|:authority: a|:path: /new/x", Written(head));
    }

    [Theory]
    [InlineData("x", "a\r\nb")]
    [InlineData("x", "a\n")]
    [InlineData("x", "a\0")]
    [InlineData("x", "\u0100")] // no byte says this
    [InlineData("x\r\ny", "a")]
    [InlineData("x y", "a")]
    [InlineData(":path", "/admin")]
    [InlineData("", "a")]
    public void LineThatMayNotBeSent_IsRefusedBeforeTheTableLearns(string name, string value)
    {
        var head = Parsed("GET / HTTP/1.1\r\nHost: a\r\nX-First: 1\r\n\r\n");
        head.AppendHeader(name, value);
        Assert.Equal(-1, HeadWriter.WriteRequest(encoder, head, ref buffer, 0));
        Assert.Equal(-1, HeadWriter.WriteTrailers(encoder, head, ref buffer, 0));
        var response = new ResponseHead();
        response.Begin(200);
        response.AppendHeader(name, value);
        Assert.Equal(-1, HeadWriter.WriteResponse(encoder, response, ref buffer, 0));
        Assert.Equal(":method: GET|:scheme: http|:authority: a|:path: /|x-first: 1", Written(Parsed("GET / HTTP/1.1\r\nHost: a\r\nX-First: 1\r\n\r\n")));
    }

    [Fact]
    public void ChangedPartsWithLineBreaks_AreRefused()
    {
        var head = Parsed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        head.UpstreamTarget = "/a\r\nb";
        Assert.Equal(-1, HeadWriter.WriteRequest(encoder, head, ref buffer, 0));
    }

    [Fact]
    public void SpaceAroundAnActionsValue_IsLeftOut()
    {
        var head = Parsed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        head.AppendHeader("x", " a b\t");
        Assert.Equal(":method: GET|:scheme: http|:authority: a|:path: /|x: a b", Written(head));
    }

    [Fact]
    public void NeverIndexedFieldsAndPath_GoOnSo()
    {
        var head = new RequestHead();
        Assert.Equal(Http2HeadError.None, HeadText.Read(":method: GET|:scheme: http|!:path: /t/secret|:authority: a|!x-token: 1|x: 2", head));
        Assert.Equal(":method: GET|:scheme: http|:authority: a|!:path: /t/secret|!x-token: 1|x: 2", Written(head));
    }

    [Fact]
    public void Response_IsWrittenBehindWhatTheBufferHolds()
    {
        var response = new ResponseHead();
        Assert.Equal(Http1Error.None, ResponseParser.Parse("HTTP/1.1 404 Not Here\r\nServer: S\r\nSet-Cookie: a\r\nTransfer-Encoding: chunked\r\n\r\n"u8, response, 10));
        buffer = ArrayPool<byte>.Shared.Rent(16);
        buffer.AsSpan().Fill(7);
        var end = HeadWriter.WriteResponse(encoder, response, ref buffer, 9);
        Assert.Equal([7, 7, 7, 7, 7, 7, 7, 7, 7], buffer[..9]);
        buffer = buffer[9..];
        Assert.Equal(":status: 404|server: S|!set-cookie: a", Decoded(end - 9));
    }

    private string Written(RequestHead head) => Decoded(HeadWriter.WriteRequest(encoder, head, ref buffer, 0));

    private string Decoded(int end)
    {
        var sink = new FieldList();
        Assert.Equal(HpackError.None, new HpackDecoder(4096).Decode(buffer.AsSpan(0, end), sink));
        return string.Join('|', sink.Lines);
    }

    private static RequestHead Parsed(string request)
    {
        var head = new RequestHead();
        Assert.Equal(Http1Error.None, RequestParser.Parse(Encoding.Latin1.GetBytes(request), head, 50));
        return head;
    }
}
