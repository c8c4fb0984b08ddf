using System;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Tests.Proxy.Http2;

/// <summary>Each reason to refuse a head or trailers, by a literal.</summary>
public sealed class HeadErrorTests
{
    private const string Get = ":method: GET|:scheme: http|:path: /|:authority: a";

    [Theory]
    [InlineData(Get + "|Accept: x", nameof(Http2HeadError.UppercaseName))]
    [InlineData(":Method: GET|:scheme: http|:path: /|:authority: a", nameof(Http2HeadError.UnknownPseudo))]
    [InlineData(Get + "|: x", nameof(Http2HeadError.InvalidName))]
    [InlineData(Get + "|a b: x", nameof(Http2HeadError.InvalidName))]
    [InlineData(Get + "|a\r\nb: x", nameof(Http2HeadError.InvalidName))]
    [InlineData(Get + "|a\0: x", nameof(Http2HeadError.InvalidName))]
    [InlineData(Get + "|\u00e9: x", nameof(Http2HeadError.InvalidName))]
    [InlineData(Get + "|a:b: x", nameof(Http2HeadError.InvalidName))]
    [InlineData(Get + "|x: a\r\nhost: evil", nameof(Http2HeadError.InvalidValue))]
    [InlineData(Get + "|x: a\nb", nameof(Http2HeadError.InvalidValue))]
    [InlineData(Get + "|x: a\rb", nameof(Http2HeadError.InvalidValue))]
    [InlineData(Get + "|x: a\0b", nameof(Http2HeadError.InvalidValue))]
    [InlineData(Get + "|x: a\u007fb", nameof(Http2HeadError.InvalidValue))]
    [InlineData(Get + "|x: a\u0001b", nameof(Http2HeadError.InvalidValue))]
    [InlineData(Get + "|x:  a", nameof(Http2HeadError.InvalidValue))]
    [InlineData(Get + "|x: a\t", nameof(Http2HeadError.InvalidValue))]
    [InlineData(Get + "|x:  ", nameof(Http2HeadError.InvalidValue))]
    [InlineData(":status: 200|" + Get, nameof(Http2HeadError.UnknownPseudo))]
    [InlineData(Get + "|:fragment: x", nameof(Http2HeadError.UnknownPseudo))]
    [InlineData(":: x|" + Get, nameof(Http2HeadError.UnknownPseudo))]
    [InlineData(":method: GET|" + Get, nameof(Http2HeadError.DuplicatePseudo))]
    [InlineData(Get + "|:path: /b", nameof(Http2HeadError.DuplicatePseudo))]
    [InlineData(Get + "|:authority: a", nameof(Http2HeadError.DuplicatePseudo))]
    [InlineData(":scheme: http|:path: /|:authority: a", nameof(Http2HeadError.MissingPseudo))]
    [InlineData(":method: GET|:path: /|:authority: a", nameof(Http2HeadError.MissingPseudo))]
    [InlineData(":method: GET|:scheme: http|:authority: a", nameof(Http2HeadError.MissingPseudo))]
    [InlineData("accept: x|" + Get, nameof(Http2HeadError.PseudoAfterField))]
    [InlineData(":method: GET|:scheme: http|:authority: a|accept: x|:path: /", nameof(Http2HeadError.PseudoAfterField))]
    [InlineData(":method: G T|:scheme: http|:path: /|:authority: a", nameof(Http2HeadError.InvalidMethod))]
    [InlineData(":method: |:scheme: http|:path: /|:authority: a", nameof(Http2HeadError.InvalidMethod))]
    [InlineData(":method: GET /x HTTP/1.1\r\n|:scheme: http|:path: /|:authority: a", nameof(Http2HeadError.InvalidMethod))]
    [InlineData(":method: ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG|:scheme: http|:path: /|:authority: a", nameof(Http2HeadError.InvalidMethod))]
    [InlineData(":method: GET|:scheme: ftp|:path: /|:authority: a", nameof(Http2HeadError.InvalidScheme))]
    [InlineData(":method: GET|:scheme: |:path: /|:authority: a", nameof(Http2HeadError.InvalidScheme))]
    [InlineData(":method: GET|:scheme: http://evil/?|:path: /|:authority: a", nameof(Http2HeadError.InvalidScheme))]
    [InlineData(":method: GET|:scheme: http|:path: |:authority: a", nameof(Http2HeadError.InvalidPath))]
    [InlineData(":method: GET|:scheme: http|:path: x|:authority: a", nameof(Http2HeadError.InvalidPath))]
    [InlineData(":method: GET|:scheme: http|:path: http://b/|:authority: a", nameof(Http2HeadError.InvalidPath))]
    [InlineData(":method: GET|:scheme: http|:path: *|:authority: a", nameof(Http2HeadError.InvalidPath))]
    [InlineData(":method: GET|:scheme: http|:path: / HTTP/1.1|:authority: a", nameof(Http2HeadError.InvalidPath))]
    [InlineData(":method: GET|:scheme: http|:path: /a\r\nx|:authority: a", nameof(Http2HeadError.InvalidPath))]
    [InlineData(":method: GET|:scheme: http|:path: /a#b|:authority: a", nameof(Http2HeadError.InvalidPath))]
    [InlineData(":method: GET|:scheme: http|:path: /a%00b|:authority: a", nameof(Http2HeadError.InvalidPath))]
    [InlineData(":method: GET|:scheme: http|:path: /\u00e9|:authority: a", nameof(Http2HeadError.InvalidPath))]
    [InlineData(":method: GET|:scheme: http|:path: /|:authority: ", nameof(Http2HeadError.InvalidAuthority))]
    [InlineData(":method: GET|:scheme: http|:path: /|:authority: u@a", nameof(Http2HeadError.InvalidAuthority))]
    [InlineData(":method: GET|:scheme: http|:path: /|:authority: a b", nameof(Http2HeadError.InvalidAuthority))]
    [InlineData(":method: GET|:scheme: http|:path: /|:authority: a:b", nameof(Http2HeadError.InvalidAuthority))]
    [InlineData(":method: GET|:scheme: http|:path: /|:authority: a/b", nameof(Http2HeadError.InvalidAuthority))]
    [InlineData(":method: GET|:scheme: http|:path: /|host: u@a", nameof(Http2HeadError.InvalidAuthority))]
    [InlineData(":method: GET|:scheme: http|:path: /", nameof(Http2HeadError.MissingAuthority))]
    [InlineData(":method: GET|:scheme: http|:path: /|host: a|host: a", nameof(Http2HeadError.DuplicateHost))]
    [InlineData(Get + "|host: b", nameof(Http2HeadError.HostMismatch))]
    [InlineData(Get + "|host: a:80", nameof(Http2HeadError.HostMismatch))]
    [InlineData(Get + "|connection: close", nameof(Http2HeadError.ConnectionSpecificField))]
    [InlineData(Get + "|keep-alive: x", nameof(Http2HeadError.ConnectionSpecificField))]
    [InlineData(Get + "|proxy-connection: x", nameof(Http2HeadError.ConnectionSpecificField))]
    [InlineData(Get + "|transfer-encoding: chunked", nameof(Http2HeadError.ConnectionSpecificField))]
    [InlineData(Get + "|upgrade: websocket", nameof(Http2HeadError.ConnectionSpecificField))]
    [InlineData(Get + "|http2-settings: AAAA", nameof(Http2HeadError.ConnectionSpecificField))]
    [InlineData(Get + "|te: gzip", nameof(Http2HeadError.InvalidTe))]
    [InlineData(Get + "|te: trailers, deflate", nameof(Http2HeadError.InvalidTe))]
    [InlineData(Get + "|content-length: 1", nameof(Http2HeadError.InvalidContentLength))] // and the stream ends
    [InlineData(Get + "|content-length: -0", nameof(Http2HeadError.InvalidContentLength))]
    [InlineData(Get + "|content-length: +0", nameof(Http2HeadError.InvalidContentLength))]
    [InlineData(Get + "|content-length: 0, 0", nameof(Http2HeadError.InvalidContentLength))]
    [InlineData(Get + "|content-length: ", nameof(Http2HeadError.InvalidContentLength))]
    [InlineData(Get + "|content-length: 9999999999999999999", nameof(Http2HeadError.InvalidContentLength))]
    [InlineData(Get + "|content-length: 0|content-length: 0", nameof(Http2HeadError.DuplicateContentLength))]
    [InlineData(":method: CONNECT|:scheme: http|:path: /|:authority: a:1", nameof(Http2HeadError.UnexpectedPseudo))]
    [InlineData(":method: CONNECT", nameof(Http2HeadError.MissingPseudo))]
    [InlineData(":method: CONNECT|host: a:1", nameof(Http2HeadError.MissingPseudo))]
    [InlineData(":method: CONNECT|:authority: a", nameof(Http2HeadError.InvalidAuthority))]
    [InlineData(":method: CONNECT|:authority: a:", nameof(Http2HeadError.InvalidAuthority))]
    [InlineData(":method: CONNECT|:authority: [::1]", nameof(Http2HeadError.InvalidAuthority))]
    [InlineData(":method: CONNECT|:authority: a:1|content-length: 0", nameof(Http2HeadError.InvalidContentLength))]
    [InlineData(":method: GET|:protocol: websocket|:scheme: http|:path: /|:authority: a", nameof(Http2HeadError.InvalidProtocol))]
    [InlineData(":method: CONNECT|:protocol: |:scheme: http|:path: /|:authority: a", nameof(Http2HeadError.InvalidProtocol))]
    [InlineData(":method: CONNECT|:protocol: a, b|:scheme: http|:path: /|:authority: a", nameof(Http2HeadError.InvalidProtocol))]
    [InlineData(":method: CONNECT|:protocol: websocket|:authority: a", nameof(Http2HeadError.MissingPseudo))]
    [InlineData(":method: CONNECT|:protocol: websocket|:scheme: http|:path: /", nameof(Http2HeadError.MissingAuthority))]
    [InlineData(":method: CONNECT|:protocol: websocket|:scheme: http|:path: *|:authority: a", nameof(Http2HeadError.InvalidPath))]
    [InlineData(":method: CONNECT|:protocol: websocket|:scheme: http|:path: /|:authority: a|content-length: 5", nameof(Http2HeadError.InvalidContentLength))]
    public void MalformedRequest_IsRefusedForItsReason(string fields, string error) => Assert.Equal(error, HeadText.Read(fields, new RequestHead()).ToString());

    [Fact]
    public void ExtendedConnectThatWasNotOffered_IsAnUnknownPseudoField() =>
        Assert.Equal(
            Http2HeadError.UnknownPseudo,
            HeadText.Read(":method: CONNECT|:protocol: websocket|:scheme: http|:path: /|:authority: a", new RequestHead(), limits: HeadText.Limits with { AllowExtendedConnect = false }));

    [Fact]
    public void LongNameOfARequest_IsRefusedAsInHttp1()
    {
        Assert.Equal(Http2HeadError.None, HeadText.Read($"{Get}|{new string('n', 256)}: x", new RequestHead()));
        Assert.Equal(Http2HeadError.InvalidName, HeadText.Read($"{Get}|{new string('n', 257)}: x", new RequestHead()));
    }

    [Theory]
    [InlineData("server: x", nameof(Http2HeadError.MissingPseudo))]
    [InlineData(":status: 101", nameof(Http2HeadError.InvalidStatus))]
    [InlineData(":status: 99", nameof(Http2HeadError.InvalidStatus))]
    [InlineData(":status: 099", nameof(Http2HeadError.InvalidStatus))]
    [InlineData(":status: 2000", nameof(Http2HeadError.InvalidStatus))]
    [InlineData(":status: +20", nameof(Http2HeadError.InvalidStatus))]
    [InlineData(":status: 200 OK", nameof(Http2HeadError.InvalidStatus))]
    [InlineData(":status: 200|:status: 200", nameof(Http2HeadError.DuplicatePseudo))]
    [InlineData(":status: 200|:path: /", nameof(Http2HeadError.UnknownPseudo))]
    [InlineData("server: x|:status: 200", nameof(Http2HeadError.PseudoAfterField))]
    [InlineData(":status: 200|Server: x", nameof(Http2HeadError.UppercaseName))]
    [InlineData(":status: 200|server: a\r\nset-cookie: b", nameof(Http2HeadError.InvalidValue))]
    [InlineData(":status: 200|transfer-encoding: chunked", nameof(Http2HeadError.ConnectionSpecificField))]
    [InlineData(":status: 200|te: trailers", nameof(Http2HeadError.InvalidTe))]
    [InlineData(":status: 200|content-length: 5", nameof(Http2HeadError.InvalidContentLength))]
    [InlineData(":status: 204|content-length: 5", nameof(Http2HeadError.InvalidContentLength))]
    [InlineData(":status: 200|content-length: x", nameof(Http2HeadError.InvalidContentLength))]
    [InlineData(":status: 200|content-length: 0|content-length: 0", nameof(Http2HeadError.DuplicateContentLength))]
    [InlineData(":status: 100", nameof(Http2HeadError.MisplacedEndStream))]
    public void MalformedResponse_IsRefusedForItsReason(string fields, string error) =>
        Assert.Equal(error, new HeadReader().ReadResponse(new HpackDecoder(4096), Block.Of(fields), endStream: true, toHeadRequest: false, new ResponseHead(), HeadText.Limits).ToString());

    [Theory]
    [InlineData(":status: 200", nameof(Http2HeadError.PseudoInTrailers))]
    [InlineData("x: 1|:path: /", nameof(Http2HeadError.PseudoInTrailers))]
    [InlineData("content-length: 5", nameof(Http2HeadError.ForbiddenTrailer))]
    [InlineData("host: a", nameof(Http2HeadError.ForbiddenTrailer))]
    [InlineData("authorization: x", nameof(Http2HeadError.ForbiddenTrailer))]
    [InlineData("cookie: x", nameof(Http2HeadError.ForbiddenTrailer))]
    [InlineData("set-cookie: x", nameof(Http2HeadError.ForbiddenTrailer))]
    [InlineData("content-type: x", nameof(Http2HeadError.ForbiddenTrailer))]
    [InlineData("content-encoding: x", nameof(Http2HeadError.ForbiddenTrailer))]
    [InlineData("cache-control: x", nameof(Http2HeadError.ForbiddenTrailer))]
    [InlineData("trailer: x", nameof(Http2HeadError.ForbiddenTrailer))]
    [InlineData("te: trailers", nameof(Http2HeadError.ForbiddenTrailer))]
    [InlineData("x-forwarded-for: 10.0.0.1", nameof(Http2HeadError.ForbiddenTrailer))]
    [InlineData("transfer-encoding: chunked", nameof(Http2HeadError.ConnectionSpecificField))]
    [InlineData("connection: close", nameof(Http2HeadError.ConnectionSpecificField))]
    [InlineData("X: 1", nameof(Http2HeadError.UppercaseName))]
    [InlineData("x: a\nb", nameof(Http2HeadError.InvalidValue))]
    public void MalformedTrailers_AreRefusedForTheirReason(string fields, string error) =>
        Assert.Equal(error, new HeadReader().ReadTrailers(new HpackDecoder(4096), Block.Of(fields), new HeaderBlock(), HeadText.Limits).ToString());

    [Fact]
    public void TooMuch_IsRefusedAtTheLimitAndNotBefore()
    {
        const string Fields = Get + "|x: 1|y: 2";
        var bytes = (7 + 3) + (7 + 4) + (5 + 1) + (10 + 1) + 2 + 2 + (6 * 32);
        var head = new RequestHead();
        Assert.Equal(Http2HeadError.None, HeadText.Read(Fields, head, limits: new HeadLimits(bytes, 2, false)));
        Assert.Equal(Http2HeadError.TooLarge, HeadText.Read(Fields, head, limits: new HeadLimits(bytes - 1, 2, false)));
        Assert.Equal(Http2HeadError.TooManyFields, HeadText.Read(Fields, head, limits: new HeadLimits(bytes, 1, false)));
        Assert.Equal(Http2HeadError.TooManyFields, HeadText.Read(Get + "|cookie: a|cookie: b|cookie: c", head, limits: new HeadLimits(1000, 2, false)));
    }

    // One byte stands for 4 kB each time: the head is refused at its limit, and the table is as the peer believes.
    [Fact]
    public void CompressionBomb_IsTooLargeAndLeavesTheTableRight()
    {
        var decoder = new HpackDecoder(4096);
        var reader = new HeadReader();
        var head = new RequestHead();
        var large = Block.Of("x: " + new string('v', 4000));
        large[0] = 0x40;
        byte[] bomb = [.. Block.Of(Get), .. large, .. new byte[10_000].AsSpan().ToArray()];
        bomb.AsSpan(^10_000).Fill(0xBE);
        Assert.Equal(Http2HeadError.TooLarge, reader.ReadRequest(decoder, bomb, true, head, HeadText.Limits));
        Assert.Equal(Http2HeadError.None, reader.ReadRequest(decoder, [.. Block.Of(Get), 0xBE], true, head, HeadText.Limits));
        Assert.Equal(4000, head.ValueAt(0).Length);
    }

    [Fact]
    public void MalformedHpack_GoesBeforeTheFaultOfAField()
    {
        Assert.Equal(Http2HeadError.MalformedHpack, new HeadReader().ReadRequest(new HpackDecoder(4096), [.. Block.Of("X: 1"), 0x80], true, new RequestHead(), HeadText.Limits));
        Assert.Equal(Http2HeadError.MissingPseudo, new HeadReader().ReadRequest(new HpackDecoder(4096), [], true, new RequestHead(), HeadText.Limits));
    }

    [Fact]
    public void EveryError_HasALabelOfItsOwn()
    {
        var labels = new System.Collections.Generic.HashSet<string>();
        foreach (var error in Enum.GetValues<Http2HeadError>())
        {
            Assert.True(labels.Add(Http2HeadErrors.Label(error)), $"{error} shares its label");
            Assert.Matches("^http2_[a-z_]+$", Http2HeadErrors.Label(error));
        }
        Assert.Equal(431, Http2HeadErrors.Status(Http2HeadError.TooLarge));
        Assert.Equal(400, Http2HeadErrors.Status(Http2HeadError.InvalidPath));
    }
}
