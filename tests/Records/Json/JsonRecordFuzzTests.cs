using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using Postern.Policy;
using Postern.Records;
using Postern.Records.Json;

namespace Postern.Tests.Records.Json;

public class JsonRecordFuzzTests
{
    private const string Cut = "[truncated]";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(20260131)]
    public void RandomRecords_ParseBackToTheSameValues(int seed)
    {
        var source = new RandomRecords(seed);
        var options = new JsonRecordOptions { RedactedHeaders = [] };
        for (var i = 0; i < 2_000; i++)
        {
            var record = source.Next();
            var json = JsonRecordEncoderTests.Parse(record, options);
            Assert.InRange(json.GetRawText().Length, 1, options.MaxRecordBytes - 1);
            Same(record.PolicyName, json, "policy_name");
            Same(record.SourceAddress, json, "source_address");
            Same(record.Listener, json, "listener");
            Same(record.Sni, json, "sni");
            Same(record.Reason, json, "reason");
            Same(record.Detail, json, "detail");
            Assert.Equal(record.SourceIdentity, json.GetProperty("source_security_id").GetUInt32());
            if (record.Http is null)
            {
                Assert.False(json.TryGetProperty("http", out _));
                continue;
            }

            Compare(record, record.Http, json.GetProperty("http"));
        }
    }

    private static void Compare(VisibilityRecord record, HttpRecord http, JsonElement json)
    {
        var left = 0;
        if (http.Request is { } request)
        {
            Same(((SampleExchange)request).MethodText, json, "method");
            Same(((SampleExchange)request).PathText, json, "path");
            Same(((SampleExchange)request).AuthorityText, json, "host");
            var lines = Lines(request);
            left += List(record.EntryType == EntryType.Response ? [.. lines.Where(l => l[0] == "X-Request-Id")] : lines, json, "headers");
        }

        if (http.ResponseHeaders is { } response)
        {
            left += List(Lines(response), json, "response_headers");
        }

        left += List([.. (http.HeaderMatches?.Missing ?? []).Select(p => new[] { p.Key, p.Value })], json, "missing_headers");
        left += List([.. (http.HeaderMatches?.Rejected ?? []).Select(p => new[] { p.Key, p.Value })], json, "rejected_headers");
        Assert.Equal(left, json.TryGetProperty("headers_left_out", out var said) ? said.GetInt32() : 0);
    }

    // What is shown is a subsequence of what was sent; the result is how many are missing from it.
    private static int List(string[][] sent, JsonElement json, string key)
    {
        string[][] shown = json.TryGetProperty(key, out var list) ? JsonRecordEncoderTests.Pairs(list) : [];
        var next = 0;
        foreach (var pair in shown)
        {
            while (next < sent.Length && !(IsSame(sent[next][0], pair[0]) && IsSame(sent[next][1], pair[1])))
            {
                next++;
            }

            Assert.True(next++ < sent.Length, $"{key} shows ({pair[0]}, {pair[1]}), which was not sent or is out of order");
        }

        return sent.Length - shown.Length;
    }

    private static string[][] Lines(IHttpHeaders headers)
    {
        var lines = new List<string[]>();
        for (var i = 0; i < headers.Count; i++)
        {
            lines.Add([headers.NameAt(i).ToString(), headers.ValueAt(i).ToString()]);
        }

        return [.. lines];
    }

    private static void Same(string sent, JsonElement json, string key)
    {
        if (sent.Length == 0)
        {
            Assert.False(json.TryGetProperty(key, out _));
            return;
        }

        var shown = json.GetProperty(key).GetString()!;
        Assert.True(IsSame(sent, shown), $"{key}: sent '{sent}', shown '{shown}'");
    }

    private static bool IsSame(string sent, string shown) =>
        sent == shown || (shown.EndsWith(Cut, StringComparison.Ordinal) && shown.Length > 80 && sent.StartsWith(shown[..^Cut.Length], StringComparison.Ordinal));
}
