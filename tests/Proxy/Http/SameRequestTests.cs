using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using FsCheck;
using FsCheck.Fluent;
using Postern.Filters.Http;
using Postern.Tests.Proxy.Dialogues;
using Postern.Tests.Proxy.Http2;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Http;

/// <summary>Through the whole engine, by either version at either end: the request that a filter is shown is the one that the upstream reads, line by line.</summary>
public sealed class SameRequestTests(HttpEngineFixture fixture) : IClassFixture<HttpEngineFixture>
{
    private const int Requests = 60;

    private static readonly Gen<string> Field =
        from name in Gen.Elements("x-a", "x-b", "accept", "user-agent", "x_under", "cookie", "te", "authorization", "x-forwarded-for")
        from value in name == "te" ? Gen.Constant("trailers") : Gen.Elements("1", "", "a b", "a\tb", "v\u00e9", "a, b", "a: b", "\"q\"", "a=b; c=d", "%0d%0a")
        select $"{name}: {value}";

    private static readonly Gen<(string Line, string[] Fields)> Heads =
        from method in Gen.Elements("GET", "DELETE", "OPTIONS", "BREW")
        from path in Gen.Elements("/", "/a?b=c", "//x", "/a%2fb;c", "/%C3%A9", "/a/../b", "/?")
        from authority in Gen.Elements("a", "A", "a:80", "[::1]:80", "b.c")
        from fields in Field.ArrayOf().Resize(6)
        select ($"{method} {path} {authority}", fields);

    [Theory]
    [InlineData(false, ClusterHttpProtocol.Http1)]
    [InlineData(false, ClusterHttpProtocol.Http2)]
    [InlineData(true, ClusterHttpProtocol.Http1)]
    [InlineData(true, ClusterHttpProtocol.Http2)]
    public async Task AnyRequest_IsReadUpstreamAsTheFilterSawIt(bool http2, ClusterHttpProtocol upstream)
    {
        foreach (var (line, fields) in Heads.Sample(Requests, 6))
        {
            var probe = new Probe();
            using var talk = new Conversation(fixture, new HttpTestOptions { UpstreamProtocol = upstream, FirstFilters = [probe] });
            var words = line.Split(' ');
            talk.ClientSends(http2 ? Http2Bytes(words, fields) : Encoding.Latin1.GetBytes($"{words[0]} {words[1]} HTTP/1.1\r\nHost: {words[2]}\r\n{string.Concat(fields.Select(field => field + "\r\n"))}\r\n"));
            List<string>? read = null;
            var server = new FrameEnd(isServer: true);
            await talk.Until(() => (read ??= upstream == ClusterHttpProtocol.Http2 ? Http2Read(server, talk) : Http1Read(talk)) is not null, $"{line} with {string.Join('|', fields)}");
            var seen = probe.Seen!;
            if (upstream == ClusterHttpProtocol.Http1)
            {
                seen.RemoveAll(said => said.StartsWith("te: ", StringComparison.Ordinal)); // speaks of one connection
            }
            Assert.Equal(line, seen[0]);
            Assert.Equal(seen, read!);
        }
    }

    private static byte[] Http2Bytes(string[] words, string[] fields)
    {
        var block = Block.Of(string.Join('|', new[] { $":method: {words[0]}", $":path: {words[1]}", ":scheme: http", $":authority: {words[2]}" }.Concat(fields)));
        return [.. new FrameEnd(isServer: false).Encode("hello"), .. FrameText.Frame(1, 5, 1, block)];
    }

    // By the plainest means: no parser of ours.
    private static List<string>? Http1Read(Conversation talk)
    {
        var text = talk.Upstream.Text;
        if (!text.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            return null;
        }
        var lines = text.Split("\r\n").Where(said => said.Length > 0).ToList();
        var first = lines[0].Split(' ');
        Assert.Equal((3, "HTTP/1.1"), (first.Length, first[2]));
        var host = lines.Single(said => said.StartsWith("host: ", StringComparison.OrdinalIgnoreCase));
        return [$"{first[0]} {first[1]} {host[6..]}", .. lines.Skip(1).Where(said => said != host)];
    }

    private static List<string>? Http2Read(FrameEnd server, Conversation talk)
    {
        if (server.TakeFields(talk.Upstream) is not { } fields)
        {
            return null;
        }
        string Pseudo(string name) => fields.Single(said => said.StartsWith(name + ": ", StringComparison.Ordinal))[(name.Length + 2)..];
        Assert.Equal("http", Pseudo(":scheme"));
        return [$"{Pseudo(":method")} {Pseudo(":path")} {Pseudo(":authority")}", .. fields.Where(said => said[0] != ':')];
    }

    // Stands where the policy filter's eyes are.
    private sealed class Probe : IHttpFilter
    {
        public List<string>? Seen { get; private set; }

        public LocalReply? OnRequestHeaders(HttpExchange exchange)
        {
            var request = exchange.Request;
            Seen = [$"{request.Method} {request.Path} {request.Authority}"];
            for (var i = 0; i < request.Count; i++)
            {
                if (!request.NameAt(i).Equals("host", StringComparison.OrdinalIgnoreCase))
                {
                    Seen.Add($"{request.NameAt(i)}: {request.ValueAt(i)}");
                }
            }
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
