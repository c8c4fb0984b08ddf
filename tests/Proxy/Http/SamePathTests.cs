using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using FsCheck;
using FsCheck.Fluent;
using Postern.Filters.Http;
using Postern.Proxy.Http;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Http;

/// <summary>Through the whole engine: the path that policy is given, the one that goes upstream and the one that records show are one.</summary>
public sealed class SamePathTests(HttpEngineFixture fixture) : IClassFixture<HttpEngineFixture>
{
    [Theory]
    [InlineData(EscapedSlashesAction.KeepUnchanged)]
    [InlineData(EscapedSlashesAction.UnescapeAndForward)]
    [InlineData(EscapedSlashesAction.UnescapeAndRedirect)]
    public async Task AnyTarget_IsJudgedForwardedAndRecordedAlike(EscapedSlashesAction action)
    {
        var probe = new Probe();
        var rules = new PathRules(true, true, action);
        using var talk = new Conversation(fixture, new HttpTestOptions { Paths = rules, FirstFilters = [probe] });
        var forwarded = 0;
        foreach (var target in PathNormaliserTests.Targets.Generator.Sample(150, 20).Append("/a/%2e%2e/b//c?d/.."))
        {
            var judged = probe.Paths.Count;
            talk.ClientSends(Encoding.Latin1.GetBytes($"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
            await talk.Until(() => Ended(talk.Upstream.Text) || Refused(talk.Client.Text), target);
            if (talk.Upstream.Count == 0)
            {
                Assert.Equal(judged, probe.Paths.Count); // refused or redirected before any filter
                talk.Client.Take(talk.Client.Count);
                continue;
            }
            var line = talk.Upstream.Text.Split("\r\n")[0];
            talk.Upstream.Take(talk.Upstream.Count);
            Assert.Equal($"GET {probe.Paths[^1]} HTTP/1.1", line);
            Assert.Equal(probe.Paths[^1], talk.Records.Seen[^1].Fields["path"]);
            Assert.Equal(judged + 1, probe.Paths.Count);
            await talk.UpstreamSends("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
            await talk.Until(() => Ended(talk.Client.Text), "the answer to " + target);
            talk.Client.Take(talk.Client.Count);
            forwarded++;
        }
        Assert.True(forwarded > 10, $"only {forwarded} targets went on");
        Assert.Contains("/b/c?d/..", probe.Paths);
        Assert.All(probe.Paths, path => Assert.Equal(PathOutcome.Unchanged, PathNormaliser.Apply(rules, path, new char[path.Length], out _)));
    }

    private static bool Ended(string head) => head.EndsWith("\r\n\r\n", StringComparison.Ordinal);

    private static bool Refused(string answer) =>
        answer.EndsWith("\r\n\r\nBad Request\r\n", StringComparison.Ordinal) || (answer.StartsWith("HTTP/1.1 307 ", StringComparison.Ordinal) && Ended(answer));

    // Stands where the policy filter's eyes are.
    private sealed class Probe : IHttpFilter
    {
        public List<string> Paths { get; } = [];

        public LocalReply? OnRequestHeaders(HttpExchange exchange)
        {
            Paths.Add(exchange.Request.Path.ToString());
            return null;
        }

        public void OnResponseHeaders(HttpExchange exchange)
        {
        }

        public void OnStreamEnd(HttpExchange exchange)
        {
        }
    }
}
