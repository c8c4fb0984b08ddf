using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using Postern.Policy;
using Postern.Records;
using Postern.Records.AccessLog;

namespace Postern.Tests.Records.AccessLog;

public class LogEntryEncoderTests
{
    internal static ProtoFields Decode(VisibilityRecord record, int max, out bool truncated)
    {
        var buffer = new byte[max];
        Array.Fill(buffer, (byte)0xEE);
        var size = LogEntryEncoder.Encode(record, buffer, out truncated);
        return new ProtoFields(buffer[..size]);
    }

    private static ProtoFields Decode(VisibilityRecord record)
    {
        var entry = Decode(record, 4096, out var truncated);
        Assert.False(truncated);
        return entry;
    }

    [Fact]
    public void Request_HasUpstreamsFields()
    {
        var entry = Decode(SampleExchange.Request());

        Assert.Equal(1_769_904_000_123_456_789ul, entry.Number(1));
        Assert.Equal(0ul, entry.Number(3));
        Assert.Equal("10.0.0.7", entry.Text(4));
        Assert.Equal(31337ul, entry.Number(6));
        Assert.Equal("10.0.1.9:45678", entry.Text(7));
        Assert.Equal("10.0.0.7:80", entry.Text(8));
        Assert.Equal(1ul, entry.Number(15));
        Assert.Equal(0ul, entry.Number(16));
        Assert.Equal(42ul, entry.Number(17));
        Assert.Equal([1, 4, 6, 7, 8, 15, 17, 100], entry.Numbers);
        var http = entry.Message(100)!;
        Assert.Equal(1ul, http.Number(1));
        Assert.Equal("http", http.Text(2));
        Assert.Equal("deathstar.default.svc.cluster.local", http.Text(3));
        Assert.Equal("/v1/exhaust-port?force=yes", http.Text(4));
        Assert.Equal("GET", http.Text(5));
        Assert.Equal(0ul, http.Number(7));
        Assert.Equal(
            [":scheme", "user-agent", "accept", "accept-encoding", "x-request-id", "x-forwarded-for", "content-type", "authorization"],
            http.Pairs(6).Select(pair => pair[0]));
        Assert.Equal("Bearer eyJhbGciOiJIUzI1NiJ9.e30.secret", http.Pairs(6)[^1][1]); // Hubble redacts, as with upstream
    }

    [Fact]
    public void Response_HasTheRequestIdFirstAndOnce()
    {
        var record = SampleExchange.Response();
        ((SampleExchange)record.Http!.ResponseHeaders!)
            .With("X-Request-ID", "ba41267c-cfc2-4a92-ad3e-cd084ab099b4")
            .With("X-Request-ID", "another");

        var entry = Decode(record);

        Assert.Equal(1ul, entry.Number(3));
        var http = entry.Message(100)!;
        Assert.Equal(200ul, http.Number(7));
        Assert.Equal("/v1/exhaust-port?force=yes", http.Text(4));
        Assert.Equal(
            ["x-request-id=ba41267c-cfc2-4a92-ad3e-cd084ab099b4", "content-type=text/plain", "content-length=1024", "date=Sun, 01 Feb 2026 00:00:00 GMT", "set-cookie=session=abc", "x-request-id=another"],
            http.Pairs(6).Select(pair => string.Join('=', pair)));
    }

    [Fact]
    public void GrpcTrailers_StandAmongTheHeadersAsFarAsTheySayHowTheCallEnded()
    {
        var record = SampleExchange.Response();
        record.Http!.ResponseTrailers = new SampleExchange().With("Grpc-Status", "5").With("x-sum", "1").With("grpc-message", "no such door");

        Assert.Equal([["grpc-status", "5"], ["grpc-message", "no such door"]], Decode(record).Message(100)!.Pairs(6)[^2..]);
    }

    [Fact]
    public void ForwardedProto_BecomesTheSchemeAndLeavesTheHeaders()
    {
        var record = SampleExchange.Request();
        ((SampleExchange)record.Http!.Request!).With("X-Forwarded-Proto", "https");

        var http = Decode(record).Message(100)!;

        Assert.Equal("https", http.Text(2));
        Assert.DoesNotContain(http.Pairs(6), pair => pair[0] == "x-forwarded-proto");
    }

    [Fact]
    public void DeniedConnection_HasNoL7Part()
    {
        var record = SampleExchange.Request();
        record.Http = null;
        record.EntryType = EntryType.Denied;
        record.Direction = TrafficDirection.Egress;
        record.DestinationIdentity = 2;

        var entry = Decode(record);

        Assert.Equal([1, 3, 4, 6, 7, 8, 16, 17], entry.Numbers);
        Assert.Equal((2ul, 2ul), (entry.Number(3), entry.Number(16)));
    }

    [Fact]
    public void HeaderMarkedByPolicy_IsRedactedWhereUpstreamShowsIt()
    {
        var record = SampleExchange.Request();
        ((SampleExchange)record.Http!.Request!).With("X-Secret", "sds-value");
        SampleExchange.NoteMissing(record.Http.HeaderMatches!, "x-secret", HeaderRedaction.Mark);
        SampleExchange.NoteRejected(record.Http.HeaderMatches!, "x-other", "plain");

        var http = Decode(record).Message(100)!;

        Assert.Equal(["x-secret", "[redacted]"], http.Pairs(6)[^1]);
        Assert.Equal([["x-secret", "[redacted]"]], http.Pairs(8));
        Assert.Equal([["x-other", "plain"]], http.Pairs(9));
    }

    [Theory]
    [InlineData("/caf\u00c3\u00a9", "/caf\u00e9")] // UTF-8 bytes on the wire stay the bytes they were
    [InlineData("/caf\u00e9", "/caf\u00e9")] // a lone Latin-1 byte would make the agent refuse the entry
    public void NonAsciiText_IsAlwaysValidUtf8(string wire, string expected)
    {
        var record = SampleExchange.Request();
        ((SampleExchange)record.Http!.Request!).PathText = wire;

        Assert.Equal(expected, Decode(record).Message(100)!.Text(4));
    }

    [Fact]
    public void TooManyHeaders_AreLeftOutBeforeAnythingElse()
    {
        var record = SampleExchange.Response();
        record.EntryType = EntryType.Denied;
        var request = (SampleExchange)record.Http!.Request!;
        request.PathText = "/" + new string('p', 2_000);
        for (var i = 0; i < 100; i++)
        {
            request.With($"x-{i:000}", new string('v', 100));
        }

        request.With("x-z", "small");
        SampleExchange.NoteRejected(record.Http.HeaderMatches!, "x-rejected", new string('r', 500));

        var http = Decode(record, 4096, out var truncated).Message(100)!;

        Assert.True(truncated);
        Assert.Equal(request.PathText, http.Text(4));
        Assert.Equal(request.AuthorityText, http.Text(3));
        Assert.Equal(200ul, http.Number(7));
        Assert.Single(http.Pairs(9));
        Assert.Equal(":scheme", http.Pairs(6)[0][0]);
        Assert.Contains(http.Pairs(6), pair => pair[0] == "x-000");
        Assert.DoesNotContain(http.Pairs(6), pair => pair[0] == "x-099");
        Assert.Equal("x-z", http.Pairs(6)[^1][0]);
    }

    [Theory]
    [InlineData('p')]
    [InlineData('\u00e9')]
    public void PathBeyondTheBound_IsCutAndSaysSo(char c)
    {
        var record = SampleExchange.Request();
        ((SampleExchange)record.Http!.Request!).PathText = new string(c, 10_000);

        var http = Decode(record, 4096, out var truncated).Message(100)!;

        Assert.True(truncated);
        Assert.EndsWith(c + "...", http.Text(4), StringComparison.Ordinal);
        Assert.Equal("GET", http.Text(5));
        Assert.Empty(http.Pairs(6));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(20260131)]
    public void RandomRecords_DecodeToTheSameValuesWithinTheBound(int seed)
    {
        var source = new RandomRecords(seed);
        int[] bounds = [LogEntryEncoder.MinMessageSize, 4096, 16_000, 65_536];
        for (var i = 0; i < 2_000; i++)
        {
            var record = source.Next();
            var entry = Decode(record, bounds[i % bounds.Length], out var truncated); // writing beyond the span throws
            Assert.Equal(record.TimestampNanos, entry.Number(1));
            Assert.Equal((ulong)record.EntryType, entry.Number(3));
            Assert.Equal(record.SourceIdentity, entry.Number(6));
            Assert.Equal(record.ProxyId, entry.Number(17));
            Assert.Equal(record.Http is not null, entry.Numbers.Contains(100));
            if (record.Http is not { } http)
            {
                continue;
            }

            var sent = entry.Message(100)!;
            Assert.Equal(http.Status, sent.Number(7));
            if (truncated)
            {
                continue;
            }

            Assert.Equal(AsUtf8(record.PolicyName), entry.Text(4));
            Assert.Equal(AsUtf8(record.SourceAddress), entry.Text(7));
            var request = (SampleExchange?)http.Request;
            Assert.Equal(AsUtf8(request?.PathText ?? ""), sent.Text(4));
            Assert.Equal(AsUtf8(request?.AuthorityText ?? ""), sent.Text(3));
            Assert.Equal(AsUtf8(request?.MethodText ?? ""), sent.Text(5));
            Assert.Equal(ExpectedHeaders(record, http), sent.Pairs(6));
            Assert.Equal((http.HeaderMatches?.Missing ?? []).Select(p => new[] { AsName(p.Key), AsUtf8(p.Value) }), sent.Pairs(8));
            Assert.Equal((http.HeaderMatches?.Rejected ?? []).Select(p => new[] { AsName(p.Key), AsUtf8(p.Value) }), sent.Pairs(9));
        }
    }

    [Fact]
    public void Encode_AllocatesNothing()
    {
        var record = SampleExchange.Response();
        var buffer = new byte[4096];
        // The least of five: the runtime now and then puts something of its own (a recompiled method's tables) on the thread that runs.
        var least = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 10_000; i++)
            {
                LogEntryEncoder.Encode(record, buffer, out _);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    [NeedsFact("policy_cases.json")]
    public void SharedVector_EncodesAsExpected()
    {
        using var cases = JsonDocument.Parse(File.ReadAllText(SharedCases.Find("policy_cases.json")!));
        var vectors = cases.RootElement.EnumerateArray().Where(c => c.GetProperty("kind").GetString() == "accesslog").ToArray();
        Assert.NotEmpty(vectors);
        foreach (var vector in vectors)
        {
            var input = vector.GetProperty("input");
            var headers = input.GetProperty("request_headers").EnumerateArray().ToDictionary(h => h[0].GetString()!, h => h[1].GetString()!);
            var request = new SampleExchange { MethodText = headers[":method"], PathText = headers[":path"], AuthorityText = headers[":authority"], SchemeText = "" };
            foreach (var (name, value) in headers.Where(h => h.Key[0] != ':'))
            {
                request.With(name, value);
            }

            var record = new VisibilityRecord
            {
                TimestampNanos = 1,
                Direction = input.GetProperty("ingress").GetBoolean() ? TrafficDirection.Ingress : TrafficDirection.Egress,
                PolicyName = input.GetProperty("policy_name").GetString()!,
                ProxyId = input.GetProperty("proxy_id").GetUInt32(),
                SourceIdentity = input.GetProperty("source_identity").GetUInt32(),
                DestinationIdentity = input.GetProperty("destination_identity").GetUInt32(),
                SourceAddress = input.GetProperty("source").GetString()!,
                DestinationAddress = input.GetProperty("destination").GetString()!,
                Http = new HttpRecord { Protocol = HttpProtocol.Http11, Request = request },
            };
            var entry = Decode(record);
            var expected = vector.GetProperty("expect_request_entry");
            Assert.Equal(expected.GetProperty("policy_name").GetString(), entry.Text(4));
            Assert.Equal(expected.GetProperty("source_address").GetString(), entry.Text(7));
            Assert.Equal(expected.GetProperty("destination_address").GetString(), entry.Text(8));
            Assert.Equal(expected.GetProperty("proxy_id").GetUInt64(), entry.Number(17));
            Assert.Equal(expected.GetProperty("source_security_id").GetUInt64(), entry.Number(6));
            Assert.Equal(expected.GetProperty("destination_security_id").GetUInt64(), entry.Number(16));
            Assert.Equal(1ul, entry.Number(15));
            SameHttp(expected.GetProperty("http"), entry.Message(100)!);

            record.EntryType = EntryType.Response;
            var response = new SampleExchange();
            foreach (var pair in input.GetProperty("response_headers").EnumerateArray())
            {
                response.With(pair[0].GetString()!, pair[1].GetString()!);
            }

            record.Http.ResponseHeaders = response;
            SameHttp(vector.GetProperty("expect_response_entry").GetProperty("http"), Decode(record).Message(100)!);
        }
    }

    private static void SameHttp(JsonElement expected, ProtoFields http)
    {
        Assert.Equal(1ul, http.Number(1));
        Assert.Equal(expected.GetProperty("scheme").GetString(), http.Text(2));
        Assert.Equal(expected.GetProperty("host").GetString(), http.Text(3));
        Assert.Equal(expected.GetProperty("path").GetString(), http.Text(4));
        Assert.Equal(expected.GetProperty("method").GetString(), http.Text(5));
        Assert.Equal(expected.GetProperty("headers").EnumerateArray().Select(p => new[] { p[0].GetString()!, p[1].GetString()! }), http.Pairs(6));
    }

    private static string[][] ExpectedHeaders(VisibilityRecord record, HttpRecord http)
    {
        var request = Lines((SampleExchange?)http.Request);
        if (record.EntryType != EntryType.Response)
        {
            var scheme = ((SampleExchange?)http.Request)?.SchemeText ?? "";
            string[][] first = scheme.Length == 0 ? [] : [[":scheme", scheme]];
            return [.. first, .. request.Where(l => l[0] is not ("host" or "x-forwarded-proto"))];
        }

        var id = request.FirstOrDefault(l => l[0] == "x-request-id");
        var response = Lines((SampleExchange?)http.ResponseHeaders);
        return id is null ? response : [id, .. response.Where(l => l[0] != id[0] || l[1] != id[1])];
    }

    private static string[][] Lines(SampleExchange? exchange) =>
        [.. Enumerable.Range(0, exchange?.Count ?? 0).Select(i => new[] { AsName(exchange!.NameAt(i).ToString()), AsUtf8(exchange.ValueAt(i).ToString()) })];

    private static string AsName(string text) =>
        string.Concat(AsUtf8(text).Select(c => char.IsAsciiLetterUpper(c) ? char.ToLowerInvariant(c) : c));

    private static string AsUtf8(string wire)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Encoding.Latin1.GetBytes(wire));
        }
        catch (DecoderFallbackException)
        {
            return wire;
        }
    }
}
