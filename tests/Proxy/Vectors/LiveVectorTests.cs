using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Postern.Filters;
using Postern.Policy;
using Postern.Tests.Proxy.InMemory;
using Postern.Tests.Proxy.PolicyTest;
using Xunit.Abstractions;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>The shared vectors that describe requests, replayed through the engine to a real server. Each case runs in both address families, and none is left out.</summary>
public sealed class LiveVectorTests(HttpEngineFixture fixture, ITestOutputHelper output) : IClassFixture<HttpEngineFixture>
{
    [SharedVectorsFact]
    public Task Http_StatusHeadersAndRecordsAreAsTheVectorsSay() => ReplayAsync("http");

    [SharedVectorsFact]
    public Task HttpOfALoadBalancer_StatusHeadersAndRecordsAreAsTheVectorsSay() => ReplayAsync("http_l7lb");

    [SharedVectorsFact]
    public async Task SharedSecrets_OneSubscriptionAndEachMatchItsOwnFallback()
    {
        var cases = Cases("secret_sharing");
        var headers = cases.Single(c => c.GetProperty("name").GetString()!.StartsWith("SecretWatchers", StringComparison.Ordinal)).GetProperty("policy");
        Assert.Equal(["shared-header-secret"], VectorPolicy.State(headers, [], 43).Policies.SecretNames);
        (string Pod, string Value, int Status)[] absent =
        [
            ("10.1.2.3", "first-header-value", 200), ("10.1.2.3", "second-header-value", 403), ("10.1.2.4", "second-header-value", 200), ("10.1.2.4", "first-header-value", 403),
        ];
        foreach (var (pod, value, status) in absent)
        {
            Assert.Equal(status, await AskAsync(headers, pod, value, []));
        }
        (string Pod, string Value, int Status)[] loaded = [("10.1.2.3", "first-header-value", 403), ("10.1.2.3", "loaded", 200), ("10.1.2.4", "loaded", 200)];
        foreach (var (pod, value, status) in loaded)
        {
            Assert.Equal(status, await AskAsync(headers, pod, value, new() { ["shared-header-secret"] = "loaded" }));
        }

        // The other one is about TLS contexts: a policy that comes again on a new stream leaves the older one usable.
        var tls = cases.Single(c => c.GetProperty("name").GetString()!.StartsWith("TlsContextCache", StringComparison.Ordinal)).GetProperty("policy");
        foreach (var state in new[] { VectorPolicy.State(tls, [], 43), VectorPolicy.State(tls, [], 43) })
        {
            var found = state.Policies.FindEndpoint("10.1.2.3")!.FindPort(TrafficDirection.Ingress, 443).FindTlsContext(TlsSide.Downstream, 43, "", 0);
            Assert.Equal((TlsContextOutcome.Context, "shared-cert"), (found.Outcome, found.Context!.TlsSdsSecret));
        }
        output.WriteLine($"secret_sharing: {cases.Count} of {cases.Count} cases, {absent.Length + loaded.Length} requests");
    }

    [SharedVectorsFact]
    public async Task AccessLog_RecordsHaveWhatTheVectorSays()
    {
        var cases = Cases("accesslog");
        foreach (var @case in cases)
        {
            var input = @case.GetProperty("input");
            var policy = new TestPolicy();
            var pod = IPEndPoint.Parse(input.GetProperty("destination").GetString()!);
            policy.Use(VectorPolicy.State(Json($$"""[{"endpoint_ips":["{{pod.Address}}"],"endpoint_id":1,"ingress_per_port_policies":[{"port":{{pod.Port}}}]}]"""), [], 1));
            var entries = new List<SeenEntry>();
            var options = new HttpTestOptions
            {
                Given = policy,
                OnRecord = record => entries.Add(new SeenEntry(record)),
                Metadata = given => new ConnectionMetadata
                {
                    Direction = TrafficDirection.Ingress,
                    PodAddress = input.GetProperty("policy_name").GetString()!,
                    SourceIdentity = input.GetProperty("source_identity").GetUInt32(),
                    DestinationIdentity = input.GetProperty("destination_identity").GetUInt32(),
                    Source = IPEndPoint.Parse(input.GetProperty("source").GetString()!),
                    Destination = pod,
                    ProxyId = input.GetProperty("proxy_id").GetUInt32(),
                    Sni = "",
                    UpstreamSourceAddress = null,
                    Policy = given,
                },
            };
            var head = string.Concat(input.GetProperty("request_headers").EnumerateArray().Where(h => h[0].GetString()![0] != ':').Select(h => $"{h[0]}: {h[1]}\r\n"));
            var answer = string.Concat(input.GetProperty("response_headers").EnumerateArray().Select(h => $"{h[0]}: {h[1]}\r\n"));
            Assert.Equal(200, await ExchangeAsync(options, $"GET / HTTP/1.1\r\nHost: host\r\n{head}\r\n", $"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{answer}\r\n"));
            Compare(@case.GetProperty("expect_request_entry"), entries[0]);
            Compare(@case.GetProperty("expect_response_entry"), entries[1]);
        }
        output.WriteLine($"accesslog: {cases.Count} of {cases.Count} cases, {cases.Count} requests");
    }

    private async Task ReplayAsync(string kind)
    {
        var cases = Cases(kind);
        var failures = new List<string>();
        var requests = 0;
        foreach (var @case in cases)
        {
            foreach (var request in @case.GetProperty("requests").EnumerateArray())
            {
                foreach (var family in @case.GetProperty("context").GetProperty("ip_families").EnumerateArray())
                {
                    var found = await new LiveRequest(fixture, @case, request, IPAddress.Parse(family.GetString()!)).RunAsync();
                    failures.AddRange(found.Select(failure => $"{@case.GetProperty("name")} {family}: {failure}"));
                    requests++;
                }
            }
        }
        output.WriteLine($"{kind}: {cases.Count} of {cases.Count} cases, {requests} requests, {failures.Count} differences");
        Assert.True(failures.Count == 0, string.Join('\n', failures.Take(20)));
        Assert.True(requests >= 2 * cases.Count, $"{requests} requests of {cases.Count} cases: some were left out");
    }

    private async Task<int> AskAsync(JsonElement resources, string pod, string value, Dictionary<string, string> secrets)
    {
        var policy = new TestPolicy { Generic = secrets };
        var hosts = Json("""[{"policy":43,"host_addresses":["10.9.9.9"]}]""").EnumerateArray();
        policy.Use(VectorPolicy.State(resources, hosts, 43));
        var printed = false;
        var context = Json("""{"is_l7lb":false,"is_ingress":true,"proxy_id":0,"connection_sni":""}""");
        var options = new HttpTestOptions
        {
            Given = policy,
            OnRecord = record => printed |= new SeenEntry(record).Shows(value),
            Metadata = given => VectorPolicy.Resolve(given, context, IPEndPoint.Parse("10.9.9.9:4000"), IPEndPoint.Parse($"{pod}:80")),
        };
        var status = await ExchangeAsync(options, $"GET / HTTP/1.1\r\nHost: a\r\nX-Shared-Secret: {value}\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Assert.False(printed, "a value that is compared with a secret stands in a record");
        return status;
    }

    private async Task<int> ExchangeAsync(HttpTestOptions options, string request, string answer)
    {
        using var conversation = new Conversation(fixture, options);
        conversation.ClientSends(Encoding.Latin1.GetBytes(request));
        await conversation.Until(() => conversation.Upstream.Text.Contains("\r\n\r\n", StringComparison.Ordinal) || conversation.Client.Count > 0, "the request to be judged");
        if (conversation.Upstream.Count > 0)
        {
            await conversation.UpstreamSends(Encoding.Latin1.GetBytes(answer));
        }
        await conversation.Until(() => conversation.Client.Text.Contains("\r\n\r\n", StringComparison.Ordinal) && conversation.Records.Seen.Count == 2, "the answer and two records");
        return int.Parse(conversation.Client.Text.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static void Compare(JsonElement wanted, SeenEntry entry)
    {
        foreach (var field in wanted.EnumerateObject().Where(f => f.Name is not ("is_ingress" or "timestamp" or "http")))
        {
            Assert.Equal(field.Value.ToString(), entry.Text(field.Name));
        }
        Assert.Equal("ingress", entry.Text("traffic_direction"));
        Assert.NotEqual("", entry.Text("time"));
        var http = wanted.GetProperty("http");
        Assert.Equal("HTTP11", http.GetProperty("http_protocol").GetString());
        Assert.Equal("HTTP/1.1", entry.Http("protocol"));
        foreach (var name in new[] { "path", "method", "host", "scheme" })
        {
            Assert.Equal(http.GetProperty(name).GetString(), entry.Http(name));
        }
        var got = entry.Pairs("headers").Concat(entry.Pairs("response_headers")).Where(pair => pair.Key is not ("host" or "x-forwarded-proto" or "content-length" or "date"));
        Assert.Equal(http.GetProperty("headers").EnumerateArray().Select(h => $"{h[0]}: {h[1]}"), got.Select(pair => $"{pair.Key}: {pair.Value}"));
    }

    private static List<JsonElement> Cases(string kind)
    {
        var cases = Json(File.ReadAllText(SharedVectorsFactAttribute.Find()!)).EnumerateArray().Where(c => c.GetProperty("kind").GetString() == kind).ToList();
        Assert.NotEmpty(cases);
        return cases;
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
