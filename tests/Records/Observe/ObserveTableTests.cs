using System;
using System.Linq;
using System.Text;
using Postern.Policy;
using Postern.Records;
using Postern.Records.Json;
using Postern.Records.Observe;

namespace Postern.Tests.Records.Observe;

public class ObserveTableTests
{
    private static string Row(VisibilityRecord record) =>
        ObserveTable.Row(ObserveLine.Parse(Encoding.UTF8.GetString(new JsonRecordEncoder().Encode(record))));

    [Fact]
    public void DeniedRequest_ReadsAsASentence()
    {
        var record = SampleExchange.Request();
        record.EntryType = EntryType.Response;
        record.Reason = RecordVerdict.NameOf(PolicyReason.NoHttpRuleMatched);
        record.Detail = "no rule allows PUT";
        record.Http!.Status = 403;
        record.LatencyNanos = 250_000;

        var row = Row(record);

        Assert.StartsWith("00:00:00.123456 ingress   DENIED    10.0.1.9:45678 (31337) → 10.0.0.7:80 (0) ", row, StringComparison.Ordinal);
        Assert.EndsWith(
            " HTTP/1.1 GET http://deathstar.default.svc.cluster.local/v1/exhaust-port?force=yes → 403 (no_http_rule_matched: no rule allows PUT) in 0.25 ms",
            row,
            StringComparison.Ordinal);
    }

    [Fact]
    public void RefusedConnection_ShowsItsServerName()
    {
        var record = SampleExchange.Request();
        record.Http = null;
        record.EntryType = EntryType.Denied;
        record.Sni = "api.example.com";
        record.Reason = "server_name_mismatch";

        Assert.EndsWith(" connection to api.example.com (server_name_mismatch)", Row(record), StringComparison.Ordinal);
    }

    [Fact]
    public void HostileText_CannotSteerTheTerminal()
    {
        var all = string.Concat(Enumerable.Range(0, 0x3000).Select(i => (char)i)) + "\u202e\u2066\ufeff\ud800";
        for (var i = 0; i < all.Length; i += 50)
        {
            var part = all.Substring(i, Math.Min(50, all.Length - i));
            var clean = ObserveTable.Clean(part);
            Assert.DoesNotContain(clean, c => char.IsControl(c) || char.IsSurrogate(c) || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.Format);
        }

        var record = SampleExchange.Request();
        ((SampleExchange)record.Http!.Request!).PathText = "/\u001b]0;owned\u0007\r\n\u009b2J";
        record.Sni = record.Detail = record.PolicyName = record.SourceAddress = "\u001b[2J";
        record.Reason = "x\u001b";

        var row = Row(record);

        Assert.DoesNotContain(row, char.IsControl);
        Assert.Contains(@"/\x1b]0;owned\x07\x0d\x0a\x9b2J", row, StringComparison.Ordinal);
    }

    [Fact]
    public void LongText_IsCutToOneRow()
    {
        Assert.Equal(301, ObserveTable.Clean(new string('a', 10_000)).Length);
        Assert.InRange(ObserveTable.Clean(new string('\u001b', 10_000)).Length, 301, 1_201);
    }

    [Theory]
    [InlineData("", ObserveLineKind.Malformed)]
    [InlineData("[1]", ObserveLineKind.Malformed)]
    [InlineData("{\"a\":", ObserveLineKind.Malformed)]
    [InlineData("{\"lost_records\":7}", ObserveLineKind.Lost)]
    [InlineData("{\"replay_end\":true}", ObserveLineKind.ReplayEnd)]
    [InlineData("{\"error\":\"x\"}", ObserveLineKind.Error)]
    [InlineData("{\"http\":5,\"time\":null,\"source_security_id\":\"x\",\"latency_us\":1e99}", ObserveLineKind.Record)]
    public void AnyLine_HasAKindAndARow(string text, ObserveLineKind kind)
    {
        var line = ObserveLine.Parse(text);

        Assert.Equal(kind, line.Kind);
        if (kind == ObserveLineKind.Record)
        {
            Assert.NotEmpty(ObserveTable.Row(line));
        }
    }
}
