using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;
using System.Threading.Tasks;
using Postern.Tests.Proxy.InMemory;

namespace Postern.Tests.Proxy.Http2;

/// <summary>HTTP/2 by <c>Upgrade: h2c</c> (RFC 7540 §3.2), through the whole engine.</summary>
public class UpgradeTests(HttpEngineFixture fixture) : IClassFixture<HttpEngineFixture>
{
    private const string Offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    private const string Switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    private static readonly byte[] Preface = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Offer_IsTakenAndTheRequestIsStream1(bool prefaceAtOnce)
    {
        using var talk = new Conversation(fixture, new HttpTestOptions { Policy = "get-ok" });
        talk.ClientSends(Encoding.ASCII.GetBytes($"GET /ok HTTP/1.1\r\nHost: a\r\nX-Case: Kept\r\n{Offer}\r\n"));
        if (prefaceAtOnce)
        {
            talk.ClientSends(Preface);
        }
        await talk.Until(() => talk.Client.Text.StartsWith(Switched, StringComparison.Ordinal), "the 101");
        talk.Client.Take(Switched.Length);
        if (!prefaceAtOnce)
        {
            talk.ClientSends(Preface);
        }
        // Nothing says that the server knows HTTP/2: it gets what the client began with.
        await talk.Until(() => talk.Upstream.Text == "GET /ok HTTP/1.1\r\nhost: a\r\nx-case: Kept\r\n\r\n", "the request upstream");
        await talk.UpstreamSends("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray());
        await talk.Until(() => Frames(talk).Exists(f => f is { Type: 0, Stream: 1 } && f.Payload == "ok"), "the answer's body on stream 1");
        Assert.Contains(Frames(talk), f => f is { Type: 1, Stream: 1 } && f.Payload[0] == 0x88); // :status 200 of the static table
        await talk.Until(() => talk.Records.Seen.Count == 2, "the records");
        Assert.Equal(["Request", "Response"], [talk.Records.Seen[0].Type.ToString(), talk.Records.Seen[1].Type.ToString()]);
    }

    [Fact]
    public async Task RefusedRequest_IsRefusedOnStream1AndNothingGoesUpstream()
    {
        using var talk = new Conversation(fixture, new HttpTestOptions { Policy = "get-ok" });
        talk.ClientSends(Encoding.ASCII.GetBytes($"GET /secret HTTP/1.1\r\nHost: a\r\n{Offer}\r\n"));
        talk.ClientSends(Preface);
        await talk.Until(() => talk.Client.Text.StartsWith(Switched, StringComparison.Ordinal), "the 101");
        talk.Client.Take(Switched.Length);
        await talk.Until(() => Frames(talk).Exists(f => f is { Type: 0, Stream: 1 } && f.Payload == "Access denied\r\n"), "the refusal on stream 1");
        Assert.Equal(0, talk.Host.Connects);
    }

    private static List<(int Type, int Stream, string Payload)> Frames(Conversation talk)
    {
        var bytes = Encoding.Latin1.GetBytes(talk.Client.Text).AsSpan();
        var frames = new List<(int, int, string)>();
        while (bytes.Length >= 9 && ((bytes[0] << 16) | (bytes[1] << 8) | bytes[2]) is var length && bytes.Length >= 9 + length)
        {
            frames.Add((bytes[3], BinaryPrimitives.ReadInt32BigEndian(bytes[5..]), Encoding.Latin1.GetString(bytes.Slice(9, length))));
            bytes = bytes[(9 + length)..];
        }
        return frames;
    }
}
