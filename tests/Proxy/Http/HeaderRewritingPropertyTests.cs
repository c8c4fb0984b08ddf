using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Text;
using System.Threading.Tasks;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Http1;
using Postern.Proxy.Listeners;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;
using Postern.Tests.Fuzzing;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Http;

/// <summary>
/// Random heads through what the connection manager does to them and through random header_matches: the verdict, the lines and the notes are those of a plain model, and
/// what is written to the upstream reads as the very head that was judged.
/// </summary>
public sealed class HeaderRewritingPropertyTests : ISecretSource
{
    private const int Rounds = 8000;
    private static readonly string[] Names = ["x-a", "X-A", "x-b", "X-b", "x_c", "X-Forwarded-For", "x-forwarded-proto", "x-request-id", "Via", "x-envoy-retry-on", "x-envoy-internal", "accept", "Connection", "Keep-Alive"];
    private static readonly string[] Values = ["", "1", "2", "1,2", "a b", "1, 2", "\u00e9", "10.0.0.1", "x-a", "x-b, close", "v:\tw", "s3cret"];
    private static readonly string[] Ruled = ["x-a", "X-a", "x-b", "x_c", "x-forwarded-for", "via", "accept", "host", ":path", "x-new"];
    private static readonly string[] Wanted = ["", "1", "1,2", "a b", "10.0.0.9", "a"];

    public string? FindGenericSecret(string name) => name == "token" ? "s3cret" : null;

    [Fact]
    [Trait("Fuzz", "headers")]
    public void RandomHeads_AreJudgedChangedAndWrittenAsThePlainModelSays() => FuzzRun.Repeat(31, run =>
    {
        var random = run.Random;
        int allowed = 0, denied = 0;
        for (var i = 0; i < Rounds; i++)
        {
            var text = run.Try(Head(random));
            var head = new RequestHead();
            if (RequestParser.Parse(text, head, 100) != Http1Error.None)
            {
                continue; // two nominated lines too many, say: nothing that goes on
            }
            if (HeadPreparation.Apply(new Still(Listener(random)), head) is not null)
            {
                continue;
            }
            var rules = Rules(random);
            var lines = Lines(head);
            var policy = PolicySnapshot.Compile([new NetworkPolicyConfig("1", 1, ["10.0.0.1"], [new PortNetworkPolicyConfig(80, 0, PolicyProtocol.Tcp, new[] { new PortRuleConfig { HttpRules = rules.ToEquatableList() } }.ToEquatableList())], [])]);
            var log = new HeaderMatchLog();
            var verdict = policy.FindEndpoint("10.0.0.1")!.FindPort(TrafficDirection.Ingress, 80).EvaluateHttp(5, 0, head, this, log);
            var model = new HeaderMatchModel(lines, head.Authority.ToString(), head.Path.ToString());
            var wanted = model.Judge(rules);
            var what = $"{ReceivedBytes.Escape(Encoding.Latin1.GetString(text))}\n{string.Join('\n', rules.SelectMany(rule => rule.HeaderMatches))}";
            Assert.True(wanted == verdict.IsAllowed, $"the model says {wanted}: {what}");
            Assert.True(model.Lines.SequenceEqual(Lines(head)), $"{string.Join('|', model.Lines)} became {string.Join('|', Lines(head))}: {what}");
            Assert.Equal(model.Missing, log.Missing.Select(pair => $"{pair.Key}: {pair.Value}"));
            Assert.Equal(model.Rejected, log.Rejected.Select(pair => $"{pair.Key}: {pair.Value}"));
            Assert.DoesNotContain(log.Missing, pair => pair.Value == "s3cret" && log.SecretHeaders.Contains(pair.Key) && !model.SaidOpenly(pair.Key, pair.Value));
            _ = wanted ? allowed++ : denied++;
            CheckWritten(head, what);
        }
        Assert.True(allowed > Rounds / 10 && denied > Rounds / 10, $"{allowed} allowed, {denied} denied: that tests little");
    });

    private static void CheckWritten(RequestHead head, string what)
    {
        var written = new System.IO.MemoryStream();
        var output = new SendBuffer(written);
        RequestWriter.Write(head, output);
        Assert.True(output.FlushAsync().AsTask().Wait(1000));
        var bytes = written.ToArray();
        var again = new RequestHead();
        Assert.True(RequestParser.Parse(bytes, again, 200) == Http1Error.None, $"what was written is no request: {ReceivedBytes.Escape(Encoding.Latin1.GetString(bytes))} of {what}");
        Assert.Equal($"{head.Method} {head.Path} {head.Authority}", $"{again.Method} {again.Path} {again.Authority}");
        Assert.Equal(Lines(head), Lines(again));
    }

    private static List<string> Lines(RequestHead head)
    {
        var lines = new List<string>();
        for (var i = 0; i < head.Count; i++)
        {
            lines.Add($"{head.NameAt(i)}: {head.ValueAt(i)}");
        }
        return lines;
    }

    private static byte[] Head(Random random)
    {
        var text = new StringBuilder($"{Pick(random, "GET", "POST", "OPTIONS")} {Pick(random, "/", "/a", "/a/../b?c", "/%2e%2e/x", "http://h/a", "http://h")} HTTP/1.1\r\n");
        text.Append(Pick(random, "Host: h\r\n", "host:h\r\n", "HOST: \th \r\n"));
        for (var n = random.Next(9); n > 0; n--)
        {
            text.Append($"{Pick(random, Names)}:{Pick(random, "", " ", "\t ")}{Pick(random, Values)}{Pick(random, "", "", " ", "\t")}\r\n");
        }
        return Encoding.Latin1.GetBytes(text.Append("\r\n").ToString());
    }

    private static HttpRuleConfig[] Rules(Random random) => [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => new HttpRuleConfig(
        EquatableList<HeaderMatcherConfig>.Empty, Enumerable.Range(0, random.Next(1, 4)).Select(_ => Match(random)).ToEquatableList()))];

    private static HeaderMatchConfig Match(Random random)
    {
        var name = Pick(random, Ruled);
        var part = name is "host" or ":path"; // of the request line: nothing adds or removes it
        return new HeaderMatchConfig(
            name, Pick(random, Wanted), (MatchAction)random.Next(part ? 2 : 3), (MismatchAction)random.Next(part ? 2 : 5), random.Next(5) == 0 ? Pick(random, "token", "unknown") : "");
    }

    private static HttpListenerSnapshot Listener(Random random) => new("t", [], null!, new RecordList(), null, null, TimeSpan.FromSeconds(30), 60 * 1024, 100)
    {
        Underscores = random.Next(3) == 0 ? UnderscoresAction.DropHeader : UnderscoresAction.Allow,
        Paths = new PathRules(random.Next(2) == 0, random.Next(2) == 0, EscapedSlashesAction.KeepUnchanged),
        Hosts = new HostRules(HostPortStripping.None, random.Next(2) == 0),
        Forwarded = random.Next(2) == 0 ? ForwardedHeaders.Untouched : new ForwardedHeaders(true, random.Next(3) > 0, random.Next(3), random.Next(2) == 0 ? [] : [IPNetwork.Parse("10.0.0.0/8")]),
        Via = Pick(random, "", "", "postern"),
        RequestIds = new RequestIds(random.Next(2) == 0, random.Next(2) == 0, false),
    };

    private static string Pick(Random random, params string[] from) => from[random.Next(from.Length)];

    // Only says who is connected.
    private sealed class Still(HttpListenerSnapshot listener) : HttpConnection(new HttpConnectionParts(
        "t", default!, default, listener, null, new IPEndPoint(IPAddress.Parse("10.0.0.9"), 1), new IPEndPoint(IPAddress.Parse("10.0.0.1"), 80), null!, null!, null))
    {
        public override UpstreamSession Upstream => throw new NotSupportedException();

        public override bool IsDraining => false;

        public override Task RunAsync() => throw new NotSupportedException();

        public override void Sweep(long now)
        {
        }

        public override void BeginDrain()
        {
        }

        protected override void Cut(ProxyError reason)
        {
        }
    }
}
