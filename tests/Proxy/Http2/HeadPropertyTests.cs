using System;
using System.Linq;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2;
using Postern.Proxy.Http2.Hpack;
using Postern.Tests.Fuzzing;

namespace Postern.Tests.Proxy.Http2;

/// <summary>What policy sees of an HTTP/2 request is what an upstream reads, over HTTP/2 and, as lines, over HTTP/1.</summary>
public sealed class HeadPropertyTests
{
    // Parts that are mostly right, with the bytes between that parsers disagree about.
    private static readonly Gen<string> Spice = Gen.Elements("\r\n", "\n", "\0", " ", "\t", ":", "#", "@", "%00", "\u00e9", "\u007f", ",", "A", "");

    private static readonly Gen<string> Noise = Gen.Choose(0, 255).Select(c => ((char)c).ToString()).ArrayOf(3).Select(string.Concat);

    private static Gen<string> Around(params string[] good) =>
        Gen.Frequency(
            (30, Gen.Elements(good)),
            (1, from text in Gen.Elements(good) from spice in Spice from front in Gen.Elements(true, false) select front ? spice + text : text + spice),
            (1, Noise));

    private static readonly Gen<string> Fields =
        from name in Around("x-a", "x-b", "accept", "cookie", "te", "host", "content-length", "connection", "user-agent", "x_under")
        from value in name switch
        {
            "te" => Around("trailers"),
            "host" => Around("a", "A", "b"),
            "content-length" => Around("0", "5"),
            _ => Around("1", "", "a b", "a\tb", "v\u00e9", "a, b", "a: b"),
        }
        select $"{name}: {value}";

    private static readonly Gen<string> Heads =
        from method in Around("GET", "POST", "OPTIONS", "PRI")
        from path in Around("/", "/a?b=c", "//x", "/a%2fb;c", "*")
        from authority in Around("a", "A", "a:80", "[::1]:80", "b.c")
        from scheme in Around("http", "https")
        from fields in Fields.ArrayOf().Resize(6)
        select string.Join('|', new[] { $":method: {method}", $":path: {path}", $":scheme: {scheme}", $":authority: {authority}" }.Concat(fields.Where(IsWritable)));

    [Fact]
    [Trait("Fuzz", "hpack")]
    public void AcceptedHead_IsTheSameRequestAsHttp1AndAsHttp2() => FuzzRun.Repeat(0, _ =>
    {
        var reader = new HeadReader();
        var decoder = new HpackDecoder(4096);
        var upstream = new HpackDecoder(4096);
        var encoder = new HpackEncoder();
        byte[] buffer = [];
        var (head, again, http1) = (new RequestHead(), new RequestHead(), new RequestHead());
        int accepted = 0, refused = 0;
        foreach (var fields in Heads.Sample(20_000, 6).Where(fields => fields.Split('|').All(IsWritable)))
        {
            if (reader.ReadRequest(decoder, Block.Of(fields), endStream: false, head, HeadText.Limits) != Http2HeadError.None)
            {
                refused++;
                continue;
            }
            accepted++;
            var end = HeadWriter.WriteRequest(encoder, head, ref buffer, 0);
            Assert.Equal(Http2HeadError.None, new HeadReader().ReadRequest(upstream, buffer.AsSpan(0, end), false, again, HeadText.Limits));
            Assert.Equal(Said(head), Said(again));
            Assert.Equal(head.Scheme, again.Scheme);
            Assert.Equal(Http1Error.None, RequestParser.Parse(AsHttp1(head), http1, 100));
            head.RemoveHeader("te"); // HTTP/1 takes it out: it speaks about one connection there
            http1.RemoveHeader("host");
            Assert.Equal(Said(head), Said(http1));
            Assert.Equal(head.IsStreamed, http1.IsChunked);
        }
        Assert.True(accepted > 2000 && refused > 2000, $"{accepted} heads were accepted, {refused} refused: that tests little");
    });

    // Whatever bytes a peer sends: no exception, and what passes is one request.
    [Fact]
    [Trait("Fuzz", "hpack")]
    public void MutatedBlock_IsRefusedOrOneRequest() => FuzzRun.Repeat(42, run =>
    {
        var seed = Block.Of(":method: POST|:path: /a|:scheme: http|:authority: a|cookie: a|cookie: b|content-length: 5|te: trailers|host: a|x: y");
        var random = run.Random;
        var (head, http1) = (new RequestHead(), new RequestHead());
        var reader = new HeadReader();
        var accepted = 0;
        for (var i = 0; i < 40_000; i++)
        {
            var bytes = (byte[])seed.Clone();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)(random.Next(4) == 0 ? random.Next(256) : random.Next(32, 127));
            }
            run.Try(bytes);
            if (reader.ReadRequest(new HpackDecoder(4096), bytes, endStream: false, head, HeadText.Limits) == Http2HeadError.None && !head.IsExtendedConnect)
            {
                accepted++;
                Assert.Equal(Http1Error.None, RequestParser.Parse(AsHttp1(head), http1, 100));
                head.RemoveHeader("te");
                http1.RemoveHeader("host");
                Assert.Equal(Said(head), Said(http1));
            }
        }
        Assert.True(accepted > 1000, $"only {accepted} heads were accepted");
    });

    // A '|' divides fields in these tests.
    private static bool IsWritable(string field) => !field.Contains('|', StringComparison.Ordinal) && field.Length > 0 && field[0] != '!' && field.IndexOf(": ", field.StartsWith(": ", StringComparison.Ordinal) ? 0 : 1, StringComparison.Ordinal) >= 0;

    private static byte[] AsHttp1(RequestHead head)
    {
        var text = new StringBuilder($"{head.Method} {head.Target} HTTP/1.1\r\nHost: {head.Authority}\r\n");
        for (var i = 0; i < head.Count; i++)
        {
            text.Append($"{head.NameAt(i)}: {head.ValueAt(i)}\r\n");
        }
        return Encoding.Latin1.GetBytes(text.Append(head.IsStreamed ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n").ToString());
    }

    private static string Said(RequestHead head)
    {
        head.RemoveHeader("transfer-encoding");
        return $"{head.Method} {head.Path} {head.Authority} {head.ContentLength} {HeadText.Lines(head).Replace("!", "", StringComparison.Ordinal)}";
    }
}
