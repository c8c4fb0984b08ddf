using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Tasks;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>Plays the steps of one request of a vector.</summary>
/// <param name="peers">Both ends.</param>
/// <param name="listener">Where the client connected to.</param>
/// <param name="shutdown">Ends the proxy, where a vector may ask for that.</param>
internal sealed class VectorSteps(PeerPair peers, IPEndPoint listener, Action? shutdown = null)
{
    private readonly Dictionary<Peer, int> handshakes = []; // their lengths, bytes

    public async Task PlayAsync(JsonElement step)
    {
        var actor = step.GetProperty("actor").GetString();
        var peer = actor == "client" ? peers.Client : peers.Upstream;
        if (actor == "upstream")
        {
            await peers.UntilAsync(() => peer.IsConnected, "the upstream connection");
        }
        foreach (var property in step.EnumerateObject())
        {
            await PlayAsync(peer, property.Name, property.Value, $"{actor} {property.Name} {property.Value}");
        }
    }

    private async Task PlayAsync(Peer peer, string verb, JsonElement value, string what)
    {
        switch (verb)
        {
            case "actor" or "note":
                break;
            case "shutdown" when shutdown is not null:
                Assert.True(value.GetBoolean());
                shutdown();
                break;
            case "tls_handshake_to_upstream":
                await peers.UntilAsync(() => peers.Upstream.IsAuthenticated, what);
                break;
            case "write":
                peer.Write(Bytes(value.GetString()!));
                break;
            case "write_hex":
                peer.Write(Convert.FromHexString(value.GetString()!));
                break;
            case "write_http":
                peer.Write(Encoding.Latin1.GetBytes(string.Join("\r\n", value.EnumerateArray().Select(v => v.GetString())) + "\r\n"));
                break;
            case "half_close":
                peer.HalfClose();
                break;
            case "close":
                peer.Close();
                break;
            case "stop_reading":
                peer.Stop();
                break;
            case "resume_reading":
                peer.Resume();
                break;
            case "expect":
                await ExpectAsync(peer, Bytes(value.GetString()!), what);
                break;
            case "expect_hex":
                await ExpectAsync(peer, Convert.FromHexString(value.GetString()!), what);
                break;
            case "expect_all_data":
                await peers.UntilAsync(() => peer.IsAll(Bytes(value.GetString()!)), what);
                break;
            case "expect_half_close":
                await peers.UntilAsync(() => peer.Ended, what);
                break;
            case "expect_closed" or "expect_disconnect":
                await peers.UntilAsync(() => peer.Ended || peer.Reset, what);
                break;
            case "expect_no_eof" or "expect_not_closed":
                Assert.False(peer.Reset || (verb == "expect_no_eof" && peer.Ended), $"{what}\n{peers}");
                break;
            case "expect_http_handshake":
                await HandshakeAsync(peer, value, what);
                break;
            case "expect_ws_frame":
                await FrameAsync(peer, value, what);
                break;
            case "expect_at_least_bytes":
                var numbers = Regex.Replace(value.GetString()!, "handshake", handshakes[peer].ToString(System.Globalization.CultureInfo.InvariantCulture));
                var sum = numbers.Split('+').Sum(n => int.Parse(n, System.Globalization.CultureInfo.InvariantCulture));
                await peers.UntilAsync(() => peer.Total >= sum, what);
                break;
            default:
                Assert.Fail($"a step this replay does not know: {what}");
                break;
        }
    }

    private async Task ExpectAsync(Peer peer, byte[] expected, string what)
    {
        await peers.UntilAsync(() => peer.StartsWith(expected), what);
        peer.Take(expected.Length);
    }

    // Exactly these lines, in this order; what stands in <> differs from run to run.
    private async Task HandshakeAsync(Peer peer, JsonElement lines, string what)
    {
        var pattern = new StringBuilder("^");
        foreach (var line in lines.EnumerateArray())
        {
            pattern.Append(line.GetString() switch
            {
                "x-envoy-original-dst-host: <original destination ip:port>" => Regex.Escape($"x-envoy-original-dst-host: {listener}"),
                "x-request-id: <36 char uuid>" => "x-request-id: [0-9a-f-]{36}",
                var text => Regex.Escape(text!),
            }).Append("\r\n");
        }
        var expected = new Regex(pattern.ToString(), RegexOptions.CultureInvariant);
        await peers.UntilAsync(() => expected.IsMatch(Encoding.Latin1.GetString(peer.Rest())), what);
        var length = expected.Match(Encoding.Latin1.GetString(peer.Rest())).Length;
        peer.Take(length);
        handshakes[peer] = length;
    }

    private async Task FrameAsync(Peer peer, JsonElement frame, string what)
    {
        var total = frame.GetProperty("total_bytes").GetInt32();
        await peers.UntilAsync(() => peer.Rest().Length >= total, what);
        var bytes = peer.Rest().AsSpan(0, total);
        Assert.Equal(0x80 | frame.GetProperty("opcode").GetInt32(), bytes[0]);
        var masked = frame.GetProperty("masked").GetBoolean();
        var payload = bytes[(masked ? 6 : 2)..].ToArray();
        Assert.Equal((masked ? 0x80 : 0) | payload.Length, bytes[1]);
        for (var i = 0; masked && i < payload.Length; i++)
        {
            payload[i] ^= bytes[2 + (i % 4)];
        }
        Assert.Equal(frame.GetProperty("payload").GetString(), Encoding.ASCII.GetString(payload));
        peer.Take(total);
    }

    private static byte[] Bytes(string text)
    {
        var repeated = Regex.Match(text, "^'(.)' x ([0-9]+)$");
        if (!repeated.Success)
        {
            return Encoding.Latin1.GetBytes(text);
        }
        var bytes = new byte[int.Parse(repeated.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture)];
        bytes.AsSpan().Fill((byte)repeated.Groups[1].Value[0]);
        return bytes;
    }
}
