using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Security;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Postern.Records;
using Postern.Tests.Proxy.InMemory;
using Postern.Tests.Proxy.PolicyTest;
using Postern.Tests.Proxy.Tls;
using Postern.Xds;
using Postern.Xds.Config;
using Xunit.Abstractions;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>
/// The shared vectors of kinds tls_http and tls_tcp, live: real sockets, the real pipeline, both families. In the place of Envoy's test certificates stand those of a
/// test authority, with the same names.
/// </summary>
[Collection("allocation")] // alone: it moves hundreds of megabytes
public sealed class TlsVectorTests(ITestOutputHelper output)
{
    [SharedVectorsFact]
    public async Task EveryCase_PlaysAsWritten()
    {
        using var file = JsonDocument.Parse(await File.ReadAllBytesAsync(SharedVectorsFactAttribute.Find()!));
        var runs = new Dictionary<string, int>(StringComparer.Ordinal) { ["tls_http"] = 0, ["tls_tcp"] = 0 };
        var cases = 0;
        foreach (var @case in file.RootElement.EnumerateArray().Where(c => runs.ContainsKey(c.GetProperty("kind").GetString()!)))
        {
            cases++;
            var (name, kind) = (@case.GetProperty("name").GetString()!, @case.GetProperty("kind").GetString()!);
            foreach (var family in @case.GetProperty("context").GetProperty("ip_families").EnumerateArray())
            {
                try
                {
                    foreach (var request in @case.GetProperty("requests").EnumerateArray())
                    {
                        await (kind == "tls_http" ? HttpAsync(@case, request, IPAddress.Parse(family.GetString()!)) : TcpAsync(@case, request, IPAddress.Parse(family.GetString()!)));
                    }
                }
                catch (Exception e)
                {
                    throw new Xunit.Sdk.XunitException($"{name} over {family}: {e}");
                }
                runs[kind]++;
                output.WriteLine($"{name} over {family}: as written");
            }
        }
        output.WriteLine($"{cases} cases; runs: {runs["tls_http"]} of tls_http, {runs["tls_tcp"]} of tls_tcp; none skipped");
        Assert.Equal((12, 6, 18), (cases, runs["tls_http"], runs["tls_tcp"]));
    }

    private static async Task HttpAsync(JsonElement @case, JsonElement request, IPAddress address)
    {
        await using var rig = await TlsRig.StartAsync(
            null, http: true, address: address, cluster: c => c with { TlsByPolicy = true, AutoSni = true, AutoSanValidation = true }, manager: m => m with { GenerateRequestId = true });
        SendPolicy(rig, @case, address);
        var served = rig.Authority.Issue(new Leaf("tls-certs") { Dns = ["lyft.com", "www.lyft.com"], Uris = ["spiffe://lyft.com/frontend-team"] });
        Assert.Empty(rig.Discovery.Plane.Find("SDS tls-certs").Send("1", ("tls-certs", served with { Name = "tls-certs" })));
        Assert.Empty(rig.Discovery.Plane.Find("SDS ca-certs").Send("1", ("ca-certs", new ValidationContextConfig("ca-certs", rig.Authority.Pem))));

        await using var client = await DialTlsAsync(rig, @case.GetProperty("context").GetProperty("connection_sni").GetString()!);
        var authority = request.GetProperty("authority").GetString()!;
        await client.WriteAsync(Encoding.ASCII.GetBytes($"{request.GetProperty("method").GetString()} {request.GetProperty("path").GetString()} HTTP/1.1\r\nHost: {authority}\r\n\r\n"));
        var (allowed, status) = (request.GetProperty("expect").GetString() == "allow", request.GetProperty("expect_response_status").GetInt32());
        string? upstreamId = null;
        if (allowed)
        {
            await using var server = await rig.AcceptTlsAsync(Leaf.Host("localhost"));
            Assert.Equal(authority, server.TargetHostName);
            var head = await HeadAsync(server);
            Assert.StartsWith($"{request.GetProperty("method").GetString()} {request.GetProperty("path").GetString()} HTTP/1.1\r\n", head, StringComparison.Ordinal);
            upstreamId = Regex.Match(head, "x-request-id: ([0-9a-f-]{36})\r\n").Groups[1].Value;
            await server.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
            Assert.StartsWith($"HTTP/1.1 {status} ", await HeadAsync(client), StringComparison.Ordinal);
        }
        else
        {
            Assert.StartsWith($"HTTP/1.1 {status} ", await HeadAsync(client), StringComparison.Ordinal);
            Assert.Equal(0, rig.Connects);
        }
        await Patience.UntilAsync(() => rig.Records.Seen.Count >= 2, "two records", rig.Records.ToString);
        var ids = new List<string>();
        foreach (var (record, wanted) in rig.Records.Seen.Zip(request.GetProperty("expect_log_sequence").EnumerateArray().Select(e => e.GetString()!)))
        {
            var parts = Regex.Match(wanted, @"^(Request|Response|Denied) \(http\.status=([0-9]+), ");
            Assert.Equal((parts.Groups[1].Value, parts.Groups[2].Value), (record.Type.ToString(), record.Fields["status"]));
            Assert.Equal("https", record.Fields["scheme"]);
            ids.Add(record.Fields["request-id"]);
        }
        Assert.Equal(2, rig.Records.Seen.Count);
        Assert.Equal((36, ids[0]), (ids[0].Length, ids[1]));
        Assert.Equal(upstreamId ?? ids[0], ids[0]);
    }

    private static async Task TcpAsync(JsonElement @case, JsonElement request, IPAddress address)
    {
        var overTls = @case.GetProperty("name").GetString()!.StartsWith("CiliumDownstreamTLS", StringComparison.Ordinal);
        await using var rig = await TlsRig.StartAsync(null, address: address, chain: c => c with { TlsByPolicy = overTls }, cluster: c => c with { TlsByPolicy = true });
        SendPolicy(rig, @case, address);
        var dialling = overTls ? DialTlsAsync(rig, "localhost") : DialAsync(rig);
        using var peers = new PeerPair(rig.Records);
        peers.Upstream.Use(await rig.AcceptTlsAsync(Leaf.Host("localhost")));
        peers.Client.Use(await dialling);
        var player = new VectorSteps(peers, (IPEndPoint)rig.Endpoint);
        foreach (var step in request.GetProperty("steps").EnumerateArray())
        {
            await player.PlayAsync(step);
        }
        peers.AssertNoFailure();
        Assert.Empty(rig.Records.Seen); // an allowed connection leaves none
        Assert.Equal((1, overTls ? 1 : 0), (rig.Connects, rig.Stat(".ssl.handshake")));
    }

    // The placeholders of the vectors: certificates, and the port and address that the listener has here.
    private static void SendPolicy(TlsRig rig, JsonElement @case, IPAddress address)
    {
        var own = rig.Authority.Issue(new Leaf("servercert") { Dns = ["lyft.com", "www.lyft.com"] });
        static string Json(Google.Protobuf.ByteString pem) => JsonEncodedText.Encode(pem.ToStringUtf8()).ToString();
        var port = ((IPEndPoint)rig.Endpoint).Port;
        foreach (var resource in @case.GetProperty("policy").EnumerateArray())
        {
            var text = Regex.Replace(resource.GetRawText().Replace("\\u003C", "<", StringComparison.OrdinalIgnoreCase).Replace("\\u003E", ">", StringComparison.OrdinalIgnoreCase), "\"port\": *8080", $"\"port\": {port}")
                .Replace("<PEM upstreamcacert.pem>", Json(rig.Authority.Pem), StringComparison.Ordinal).Replace("<PEM servercert.pem>", Json(own.CertificateChain), StringComparison.Ordinal)
                .Replace("<PEM serverkey.pem>", Json(own.PrivateKey), StringComparison.Ordinal).Replace("127.0.0.1", address.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("<PEM", text, StringComparison.Ordinal);
            using var json = JsonDocument.Parse(text);
            Assert.Empty(rig.Discovery.Plane.Find("NPDS").Send("2", ("42", PolicyResources.ReadNetworkPolicy(json.RootElement, "vector"))));
        }
    }

    private static async Task<Stream> DialAsync(TlsRig rig) => await rig.DialAsync();

    // The certificate is for other names than the SNI, which the vectors' client does not mind; that it is the authority's it does.
    private static async Task<Stream> DialTlsAsync(TlsRig rig, string sni) => await rig.DialTlsAsync(
        options =>
        {
            options.ApplicationProtocols = [SslApplicationProtocol.Http11];
            options.RemoteCertificateValidationCallback = (_, _, _, errors) => (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None;
            return options;
        },
        sni);

    private static async Task<string> HeadAsync(Stream from)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await from.ReadExactlyAsync(one, TlsRig.Deadline());
            head.Append((char)one[0]);
        }
        return head.ToString();
    }
}
