using System.Linq;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2;
using Postern.Proxy.Http2.Hpack;
using Postern.Records;

namespace Postern.Tests.Proxy.Http2;

public sealed class HeadReaderTests
{
    private const string Get = ":method: GET|:scheme: http|:path: /|:authority: a";

    private readonly RequestHead head = new();

    [Fact]
    public void Request_FillsTheHead()
    {
        Accepted(":method: POST|:scheme: https|:path: /a/b?c=d|:authority: Shop.example:8443|te: trailers|x-a: 1|x-a: 2|x-empty: ", endStream: false);
        Assert.Equal("POST", head.Method);
        Assert.Equal("https", head.Scheme);
        Assert.Equal("/a/b?c=d", head.Path);
        Assert.Equal("/a/b?c=d", head.Target);
        Assert.Equal("Shop.example:8443", head.Authority);
        Assert.Equal(HttpProtocol.Http2, head.Version);
        Assert.Equal("te: trailers|x-a: 1|x-a: 2|x-empty: ", HeadText.Lines(head));
        Assert.True(head.IsStreamed && head.HasBody);
        Assert.Equal(-1, head.ContentLength);
    }

    [Theory]
    [InlineData("content-length: 5", false, 5, false)]
    [InlineData("content-length: 0", true, 0, false)]
    [InlineData("content-length: 0", false, 0, false)]
    [InlineData("x: y", true, -1, false)]
    [InlineData("x: y", false, -1, true)]
    public void Body_IsAsLengthAndEndOfStreamSay(string field, bool endStream, long length, bool streamed)
    {
        Accepted($"{Get}|{field}", endStream);
        Assert.Equal((length, streamed), (head.ContentLength, head.IsStreamed));
        Assert.Equal(field, HeadText.Lines(head));
    }

    [Theory]
    [InlineData(":method: GET|:scheme: http|:path: /|host: B:1|x: y", "B:1")]
    [InlineData(Get + "|host: A|x: y", "a")]
    public void Host_IsTheAuthorityAndNoLine(string fields, string authority)
    {
        Accepted(fields);
        Assert.Equal(authority, head.Authority);
        Assert.Equal("x: y", HeadText.Lines(head));
    }

    [Theory]
    [InlineData("cookie: a=1|x: y|cookie: b=2|cookie: c=3|z: 1", "cookie: a=1; b=2; c=3|x: y|z: 1")]
    [InlineData("cookie: a=1|!cookie: b=2", "!cookie: a=1; b=2")]
    [InlineData("!cookie: a=1|x: y", "!cookie: a=1|x: y")]
    [InlineData("cookie: a=1; b=2", "cookie: a=1; b=2")]
    [InlineData("cookie: |cookie: a=1|cookie: |cookie: b=2|cookie: ", "cookie: a=1; b=2")] // empty ones say nothing
    [InlineData("cookie: |cookie: ", "cookie: ")]
    public void CookieCrumbs_AreOneLineAtThePlaceOfTheFirst(string fields, string lines)
    {
        Accepted($"{Get}|{fields}");
        Assert.Equal(lines, HeadText.Lines(head));
    }

    [Fact]
    public void ThousandsOfCrumbs_AreJoinedOnce()
    {
        var crumbs = Enumerable.Range(0, 1500).Select(i => $"c{i}=v").ToArray();
        Accepted(Get + string.Concat(crumbs.Select(crumb => $"|cookie: {crumb}|x: y")), limits: new HeadLimits(1 << 20, 4000, false));
        Assert.True(head.TryFind("cookie", out var joined));
        Assert.Equal(string.Join("; ", crumbs), joined);
        Assert.Equal(1501, head.Count);
    }

    // An error in the middle must not leave crumbs for the next request of the connection.
    [Fact]
    public void RefusedHead_LeavesNothingForTheNext()
    {
        var reader = new HeadReader();
        var decoder = new HpackDecoder(4096);
        var refused = Block.Of(":method: CONNECT|:protocol: websocket|:scheme: https|:path: /old|:authority: old|host: old|cookie: a|cookie: b|content-length: 5|X: y");
        Assert.Equal(Http2HeadError.UppercaseName, reader.ReadRequest(decoder, refused, true, head, HeadText.Limits));
        Assert.Equal(Http2HeadError.None, reader.ReadRequest(decoder, Block.Of(Get + "|host: a|cookie: c"), true, head, HeadText.Limits));
        Assert.Equal("cookie: c", HeadText.Lines(head));
        Assert.Equal(("a", "http", "", false, -1L), (head.Authority.ToString(), head.SchemeName, head.UpgradeProtocol, head.IsExtendedConnect, head.ContentLength));
    }

    [Fact]
    public void Connect_HasTheAuthorityForItsTarget()
    {
        Accepted(":method: CONNECT|:authority: db:5432", endStream: false);
        Assert.True(head.IsConnect && !head.HasPath && !head.HasBody);
        Assert.Equal("db:5432", head.Target);
        Assert.Equal("db:5432", head.Authority);
    }

    [Fact]
    public void ExtendedConnect_IsAGetThatAsksForAProtocol()
    {
        Accepted(":method: CONNECT|:protocol: WebSocket|:scheme: https|:path: /chat|:authority: a|sec-websocket-version: 13", endStream: false);
        Assert.Equal("GET", head.Method);
        Assert.Equal("websocket", head.UpgradeProtocol);
        Assert.True(head.IsExtendedConnect && head.WantsUpgrade && !head.IsConnect && !head.HasBody);
        Assert.Equal("/chat", head.Path);
    }

    [Fact]
    public void OptionsOfAll_HasAStarForItsPath()
    {
        Accepted(":path: *|:method: OPTIONS|:scheme: http|:authority: a");
        Assert.Equal("*", head.Path);
    }

    [Theory]
    [InlineData("", false, false)]
    [InlineData("content-length: 5", false, false)]
    [InlineData("content-length: 5", true, true)] // to HEAD
    [InlineData("content-length: 0", true, false)]
    public void Response_FillsTheHead(string field, bool endStream, bool toHead)
    {
        var response = new ResponseHead();
        var fields = ":status: 203" + (field.Length > 0 ? "|" + field : "") + "|set-cookie: a|set-cookie: b";
        Assert.Equal(Http2HeadError.None, new HeadReader().ReadResponse(new HpackDecoder(4096), Block.Of(fields), endStream, toHead, response, HeadText.Limits));
        Assert.Equal(203, response.Status);
        Assert.Equal(endStream, response.EndsWithHead);
        Assert.Equal(field.Length > 0 ? field[^1] - '0' : -1, response.ContentLength);
        Assert.Equal(fields[(fields.IndexOf('|', System.StringComparison.Ordinal) + 1)..], HeadText.Lines(response));
    }

    [Theory]
    [InlineData(":status: 103|link: x", false)]
    [InlineData(":status: 204", true)]
    [InlineData(":status: 304|content-length: 10", true)]
    public void ResponseWithoutContent_IsTaken(string fields, bool endStream) =>
        Assert.Equal(Http2HeadError.None, new HeadReader().ReadResponse(new HpackDecoder(4096), Block.Of(fields), endStream, false, new ResponseHead(), HeadText.Limits));

    [Fact]
    public void Trailers_TakeThePlaceOfWhatWasThere()
    {
        var trailers = new HeaderBlock();
        trailers.AppendHeader("old", "x");
        Assert.Equal(Http2HeadError.None, new HeadReader().ReadTrailers(new HpackDecoder(4096), Block.Of("grpc-status: 0|!grpc-message: ok"), trailers, HeadText.Limits));
        Assert.Equal("grpc-status: 0|!grpc-message: ok", HeadText.Lines(trailers));
    }

    private void Accepted(string fields, bool endStream = true, HeadLimits? limits = null) => Assert.Equal(Http2HeadError.None, HeadText.Read(fields, head, endStream, limits));
}
