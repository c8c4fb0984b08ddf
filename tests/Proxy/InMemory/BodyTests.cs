using System;
using System.Collections.Generic;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Tasks;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>What does not fit into a dialogue file: large bodies, real time, two clients.</summary>
public class BodyTests(HttpEngineFixture fixture) : IClassFixture<HttpEngineFixture>
{
    private const int Size = 5_000_003;

    [Fact]
    public async Task LargeUploadByLength_ArrivesIntact()
    {
        using var talk = new Conversation(fixture, new HttpTestOptions());
        var body = Noise();
        talk.ClientSends(Encoding.ASCII.GetBytes($"PUT /f HTTP/1.1\r\nHost: a\r\nContent-Length: {Size}\r\n\r\n"));
        talk.ClientSends(body);
        var head = $"PUT /f HTTP/1.1\r\nHost: a\r\nContent-Length: {Size}\r\n\r\n".Length;
        await talk.Until(() => talk.Upstream.Count >= head + Size, "the whole upload");
        Assert.Equal(head + Size, talk.Upstream.Count);
        Assert.Equal(SHA256.HashData(body), SHA256.HashData(talk.Upstream.Take(head + Size).AsSpan(head)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LargeDownload_ArrivesIntact(bool chunked)
    {
        using var talk = new Conversation(fixture, new HttpTestOptions());
        talk.ClientSends("GET /f HTTP/1.1\r\nHost: a\r\n\r\n"u8);
        var body = Noise();
        var framing = chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {Size}";
        var head = $"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n";
        var sent = chunked ? [.. Encoding.ASCII.GetBytes($"{head}{Size:x}\r\n"), .. body, .. "\r\n0\r\n\r\n"u8] : (byte[])[.. Encoding.ASCII.GetBytes(head), .. body];
        var sending = talk.UpstreamSends(sent);
        await talk.Until(() => talk.Client.Count >= Size && (!chunked || Tail(talk, 5) == "0\r\n\r\n"), "the whole download");
        await sending;
        var received = talk.Client.Take(talk.Client.Count);
        var start = received.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        var data = chunked ? Dechunk(received.AsSpan(start)) : received[start..];
        Assert.Equal(SHA256.HashData(body), SHA256.HashData(data));
    }

    [Fact]
    public async Task TwoClients_NeverShareAnUpstreamConnection()
    {
        using var host = new UpstreamHost();
        var talks = new List<Conversation>();
        for (var i = 1; i <= 3; i++)
        {
            var talk = new Conversation(fixture, new HttpTestOptions(), host);
            talks.Add(talk); // open until the end, with an upstream connection at rest that could be shared
            talk.ClientSends("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8);
            await talk.UpstreamSends("HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray());
            await talk.Until(() => talk.Client.Count > 0, "the answer");
            Assert.Equal(i, host.Connects);
        }
        talks.ForEach(talk => talk.Dispose());
    }

    [Fact]
    public async Task ManySmallChunks_ArriveInOrder()
    {
        using var talk = new Conversation(fixture, new HttpTestOptions());
        talk.ClientSends("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"u8);
        var expected = new StringBuilder();
        for (var i = 0; i < 5000; i++)
        {
            var piece = $"{i},";
            expected.Append(piece);
            talk.ClientSends(Encoding.ASCII.GetBytes($"{piece.Length:x}\r\n{piece}\r\n"));
        }
        talk.ClientSends("0\r\n\r\n"u8);
        await talk.Until(() => talk.Upstream.Text.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal), "the last chunk");
        var all = talk.Upstream.Take(talk.Upstream.Count);
        Assert.Equal(expected.ToString(), Encoding.ASCII.GetString(Dechunk(all.AsSpan(all.AsSpan().IndexOf("\r\n\r\n"u8) + 4))));
    }

    private static byte[] Noise()
    {
        var bytes = new byte[Size];
        new Random(3).NextBytes(bytes);
        return bytes;
    }

    private static string Tail(Conversation talk, int count) => talk.Client.Count < count ? "" : talk.Client.Text[^count..];

    private static byte[] Dechunk(ReadOnlySpan<byte> framed)
    {
        var data = new byte[framed.Length];
        var decoder = new Postern.Proxy.Http1.ChunkDecoder();
        Assert.Equal(Postern.Proxy.Http1.Http1Error.None, decoder.Decode(framed, data, out var consumed, out var written));
        Assert.True(decoder.IsDone);
        Assert.Equal(framed.Length, consumed);
        return data[..written];
    }
}
