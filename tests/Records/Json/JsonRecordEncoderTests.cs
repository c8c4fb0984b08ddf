using System;
using System.Linq;
using System.Text;
using System.Text.Json;
using Postern.Policy;
using Postern.Records;
using Postern.Records.Json;

namespace Postern.Tests.Records.Json;

public class JsonRecordEncoderTests
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    internal static JsonElement Parse(VisibilityRecord record, JsonRecordOptions? options = null)
    {
        var line = new JsonRecordEncoder(options).Encode(record);
        Assert.Equal((byte)'\n', line[^1]);
        Assert.Equal(-1, line[..^1].IndexOf((byte)'\n'));
        return JsonDocument.Parse(StrictUtf8.GetString(line)).RootElement;
    }

    internal static string[][] Pairs(JsonElement list) =>
        [.. list.EnumerateArray().Select(pair => pair.EnumerateArray().Select(part => part.GetString()!).ToArray())];

    [Fact]
    public void AllowedRequest_HasEveryMember()
    {
        var json = Parse(SampleExchange.Request());

        Assert.Equal(
            ["time", "entry_type", "traffic_direction", "policy_name", "proxy_id", "source_security_id", "destination_security_id",
                "source_address", "destination_address", "listener", "verdict", "reason", "rule", "http"],
            json.EnumerateObject().Select(member => member.Name));
        Assert.Equal("2026-02-01T00:00:00.123456789Z", json.GetProperty("time").GetString());
        Assert.Equal("Request", json.GetProperty("entry_type").GetString());
        Assert.Equal("ingress", json.GetProperty("traffic_direction").GetString());
        Assert.Equal(42, json.GetProperty("proxy_id").GetInt32());
        Assert.Equal(31337, json.GetProperty("source_security_id").GetInt32());
        Assert.Equal("forwarded", json.GetProperty("verdict").GetString());
        var http = json.GetProperty("http");
        Assert.Equal(["protocol", "scheme", "host", "method", "path", "headers"], http.EnumerateObject().Select(member => member.Name));
        Assert.Equal("HTTP/1.1", http.GetProperty("protocol").GetString());
        Assert.Equal("/v1/exhaust-port?force=yes", http.GetProperty("path").GetString());
        Assert.Equal(["User-Agent", "curl/7.88.1"], Pairs(http.GetProperty("headers"))[1]);
    }

    [Theory]
    [InlineData("/pkg.Doors/Open", "pkg.Doors", "Open")]
    [InlineData("/pkg.Doors/Open?a=/b", "pkg.Doors", "Open")]
    [InlineData("/Open", "", "")]
    [InlineData("*", "", "")]
    public void GrpcCall_HasServiceMethodAndInItsResponseTheStatus(string path, string service, string method)
    {
        var record = SampleExchange.Response();
        ((SampleExchange)record.Http!.Request!).PathText = path;
        (record.Http.IsGrpc, record.Http.GrpcStatus) = (true, 0);
        Assert.Equal($$"""{"service":"{{service}}","method":"{{method}}","status":0}""", Parse(record).GetProperty("grpc").GetRawText());
        record.Http.GrpcStatus = null;
        Assert.Equal($$"""{"service":"{{service}}","method":"{{method}}"}""", Parse(record).GetProperty("grpc").GetRawText());
    }

    [Fact]
    public void GrpcCallWhosePathIsComparedWithASecret_IsNotTakenApart()
    {
        var record = SampleExchange.Request();
        ((SampleExchange)record.Http!.Request!).PathText = "/hidden.Service/Method";
        record.Http.IsGrpc = true;
        SampleExchange.NoteRejected(record.Http.HeaderMatches!, ":path", HeaderRedaction.Mark);
        Assert.DoesNotContain("hidden", Parse(record).GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Response_ShowsItsOwnHeadersAndOnlyTheRequestId()
    {
        var json = Parse(SampleExchange.Response());

        Assert.Equal(1234, json.GetProperty("latency_us").GetInt32());
        var http = json.GetProperty("http");
        Assert.Equal(200, http.GetProperty("status").GetInt32());
        Assert.Equal("X-Request-Id", Assert.Single(Pairs(http.GetProperty("headers")))[0]);
        Assert.Equal(["Content-Type", "text/plain"], Pairs(http.GetProperty("response_headers"))[0]);
    }

    [Fact]
    public void ConnectionRecord_HasNoHttpMember()
    {
        var record = SampleExchange.Request();
        record.Http = null;
        record.EntryType = EntryType.Denied;
        record.Reason = RecordVerdict.NameOf(PolicyReason.NoRuleForIdentity);
        record.Sni = "api.example.com";
        record.Direction = TrafficDirection.Egress;

        var json = Parse(record);

        Assert.False(json.TryGetProperty("http", out _));
        Assert.Equal("denied", json.GetProperty("verdict").GetString());
        Assert.Equal("no_rule_for_identity", json.GetProperty("reason").GetString());
        Assert.Equal("api.example.com", json.GetProperty("sni").GetString());
        Assert.Equal("egress", json.GetProperty("traffic_direction").GetString());
    }

    [Theory]
    [InlineData(EntryType.Request, "allowed", Verdict.Forwarded)]
    [InlineData(EntryType.Response, "no_http_rule_matched", Verdict.Denied)]
    [InlineData(EntryType.Response, "upstream_connect_failure", Verdict.Error)]
    [InlineData(EntryType.Denied, "anything", Verdict.Denied)]
    public void Verdict_FollowsEntryTypeAndReason(EntryType type, string reason, Verdict expected)
    {
        Assert.Equal(expected, RecordVerdict.Of(new VisibilityRecord { EntryType = type, Reason = reason }));
    }

    [Fact]
    public void CredentialHeaders_AreRedactedInEveryList()
    {
        var record = SampleExchange.Response();
        SampleExchange.NoteMissing(record.Http!.HeaderMatches!, "x-api-key", "plain-key");
        var text = Parse(record).GetRawText() + Parse(SampleExchange.Request()).GetRawText();

        Assert.DoesNotContain("eyJhbGci", text, StringComparison.Ordinal);
        Assert.DoesNotContain("session=abc", text, StringComparison.Ordinal);
        Assert.DoesNotContain("plain-key", text, StringComparison.Ordinal);
        Assert.Contains("""["Authorization","[redacted]"]""", text, StringComparison.Ordinal);
        Assert.Contains("""["Set-Cookie","[redacted]"]""", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x-tenant-secret", "X-Tenant-Secret")]
    [InlineData(":path", null)]
    [InlineData(":authority", null)]
    public void HeaderMarkedByPolicy_IsNeverShownEvenWithoutARedactionList(string marked, string? header)
    {
        foreach (var note in new Action<HeaderMatchLog, string, string>[] { SampleExchange.NoteMissing, SampleExchange.NoteRejected })
        {
            var record = SampleExchange.Request();
            var request = (SampleExchange)record.Http!.Request!;
            request.PathText = marked == ":path" ? "/sds-secret" : "/";
            request.AuthorityText = marked == ":authority" ? "sds-secret" : "host";
            if (header is not null)
            {
                request.With(header, "sds-secret");
            }

            note(record.Http.HeaderMatches!, marked, HeaderRedaction.Mark);

            Assert.DoesNotContain("sds-secret", Parse(record, new JsonRecordOptions { RedactedHeaders = [] }).GetRawText(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void HeaderNames_ShowNoValue()
    {
        var http = Parse(SampleExchange.Request(), new JsonRecordOptions { Headers = HeaderDetail.Names }).GetProperty("http");

        Assert.All(Pairs(http.GetProperty("headers")), pair => Assert.Single(pair));
        Assert.Equal("Host", Pairs(http.GetProperty("headers"))[0][0]);
    }

    [Fact]
    public void NoHeaders_LeavesEveryListOut()
    {
        var record = SampleExchange.Response();
        SampleExchange.NoteRejected(record.Http!.HeaderMatches!, "x-a", "b");

        var http = Parse(record, new JsonRecordOptions { Headers = HeaderDetail.None }).GetProperty("http");

        Assert.Equal(["protocol", "scheme", "host", "method", "path", "status"], http.EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public void ControlAndLatin1Characters_ParseBackAndStayAscii()
    {
        var record = SampleExchange.Request();
        var nasty = string.Concat(Enumerable.Range(0, 256).Select(i => (char)i)) + "\uD83D\uDE00";
        ((SampleExchange)record.Http!.Request!).With("x-nasty", nasty).PathText = "/\u001b[31m\u009b\"\\";
        record.Detail = "half a pair: \uD800.";

        var bytes = new JsonRecordEncoder().Encode(record);
        Assert.Equal(-1, bytes.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7e) - (bytes.Length - 1) - 1);
        var json = Parse(record);

        Assert.Equal(nasty, Pairs(json.GetProperty("http").GetProperty("headers"))[^1][1]);
        Assert.Equal("/\u001b[31m\u009b\"\\", json.GetProperty("http").GetProperty("path").GetString());
        Assert.Equal("half a pair: \uFFFD.", json.GetProperty("detail").GetString());
    }

    [Fact]
    public void OversizeRecord_StaysWithinTheBoundAndSaysWhatIsMissing()
    {
        var record = SampleExchange.Request();
        var request = new SampleExchange { PathText = "/" + new string('p', 100_000), AuthorityText = new string('\u00e9', 100_000), MethodText = new string('M', 9_000) };
        for (var i = 0; i < 500; i++)
        {
            request.With($"x-{i}", new string((char)(i % 256), i * 20));
        }

        record.Http!.Request = request;
        record.Detail = new string('\u0001', 50_000);
        record.Sni = record.Listener = record.RuleName = record.PolicyName = record.Reason = new string('"', 5_000);

        foreach (var max in new[] { JsonRecordOptions.MinRecordBytes, 16 * 1024, JsonRecordOptions.LargestRecordBytes })
        {
            var options = new JsonRecordOptions { MaxRecordBytes = max };
            var json = Parse(record, options);

            Assert.InRange(new JsonRecordEncoder(options).Encode(record).Length, max / 2, max);
            Assert.EndsWith("[truncated]", json.GetProperty("http").GetProperty("path").GetString(), StringComparison.Ordinal);
            var http = json.GetProperty("http");
            var shown = http.TryGetProperty("headers", out var headers) ? headers.GetArrayLength() : 0;
            Assert.Equal(500, shown + http.GetProperty("headers_left_out").GetInt32());
        }
    }

    [Theory]
    [InlineData(0ul, "1970-01-01T00:00:00.000000000Z")]
    [InlineData(951_782_399_999_999_999ul, "2000-02-28T23:59:59.999999999Z")]
    [InlineData(951_782_400_000_000_001ul, "2000-02-29T00:00:00.000000001Z")]
    [InlineData(ulong.MaxValue, "2554-07-21T23:34:33.709551615Z")]
    public void Time_IsRfc3339WithNanoseconds(ulong nanos, string expected)
    {
        Assert.Equal(expected, Parse(new VisibilityRecord { TimestampNanos = nanos }).GetProperty("time").GetString());
    }

    [Fact]
    public void Encode_AllocatesNothing()
    {
        var encoder = new JsonRecordEncoder();
        var record = SampleExchange.Response();
        encoder.Encode(record);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
        {
            encoder.Encode(record);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
