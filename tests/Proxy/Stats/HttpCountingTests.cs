using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Postern.Proxy.Http;
using Postern.Proxy.Stats;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Stats;

/// <summary>What the data path counts while it serves.</summary>
public class HttpCountingTests(HttpEngineFixture fixture) : IClassFixture<HttpEngineFixture>
{
    [Fact]
    public async Task AllowedRequest_IsCountedOnBothSides()
    {
        var options = new HttpTestOptions();
        using var talk = new Conversation(fixture, options);
        talk.Policy.Use("get-ok");
        talk.ClientSends(Encoding.ASCII.GetBytes("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n"));
        await talk.Until(() => talk.Upstream.Text.EndsWith("\r\n\r\n"), "the request");
        Assert.Equal(1, Value(options, "http.ingress.downstream_rq_active"));
        await talk.UpstreamSends(Encoding.ASCII.GetBytes("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"));
        await talk.Until(() => talk.Client.Text.EndsWith("\r\n\r\n") && Value(options, "http.ingress.downstream_rq_active") == 0, "the answer");
        Assert.Equal(1, Value(options, "http.ingress.downstream_cx_total"));
        Assert.Equal(1, Value(options, "http.ingress.downstream_cx_active"));
        Assert.Equal(1, Value(options, "http.ingress.downstream_rq_total"));
        Assert.Equal(1, Value(options, "http.ingress.downstream_rq_2xx"));
        Assert.Equal(1, Count(options, "http.ingress.downstream_rq_time"));
        Assert.Equal(1, Value(options, "cluster.test.upstream_rq_total"));
        Assert.Equal(1, Value(options, "cluster.test.upstream_rq_2xx"));
        Assert.Equal(1, Value(options, "cluster.test.upstream_cx_active"));
        Assert.Equal(0, Value(options, "cilium.access_denied"));
        talk.ClientFin();
        await talk.Until(() => Value(options, "http.ingress.downstream_cx_active") == 0 && Value(options, "cluster.test.upstream_cx_active") == 0, "the end of the connection");
        Assert.Equal(1, Value(options, "http.ingress.downstream_cx_destroy"));
    }

    [Fact]
    public async Task DeniedRequest_IsCountedAndReachesNoCluster()
    {
        var options = new HttpTestOptions();
        using var talk = new Conversation(fixture, options);
        talk.Policy.Use("get-ok");
        talk.ClientSends(Encoding.ASCII.GetBytes("GET /secret HTTP/1.1\r\nHost: a\r\n\r\n"));
        await talk.Until(() => Value(options, "http.ingress.downstream_rq_4xx") == 1, "the refusal");
        Assert.Equal(1, Value(options, "http.ingress.cilium.access_denied"));
        Assert.Equal(1, Value(options, "cilium.access_denied"));
        Assert.Equal(0, Value(options, "cluster.test.upstream_rq_total"));
    }

    [Fact]
    public async Task RequestWithoutRoute_IsCounted()
    {
        var options = new HttpTestOptions { RoutePrefix = "/only" };
        using var talk = new Conversation(fixture, options);
        talk.Policy.Use("allow-all");
        talk.ClientSends(Encoding.ASCII.GetBytes("GET /else HTTP/1.1\r\nHost: a\r\n\r\n"));
        await talk.Until(() => Value(options, "http.ingress.downstream_rq_4xx") == 1, "the answer");
        Assert.Equal(1, Value(options, "http.ingress.no_route"));
        Assert.Equal(0, Value(options, "cilium.access_denied"));
    }

    [Fact]
    public async Task RefusedPath_IsCounted()
    {
        var options = new HttpTestOptions { Paths = new PathRules(false, false, EscapedSlashesAction.RejectRequest) };
        using var talk = new Conversation(fixture, options);
        talk.ClientSends(Encoding.ASCII.GetBytes("GET /a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n"));
        await talk.Until(() => Value(options, "http.ingress.downstream_rq_4xx") == 1, "the refusal");
        Assert.Equal(1, Value(options, "http.ingress.downstream_rq_failed_path_normalization"));
        Assert.Equal(0, Value(options, "http.ingress.cilium.access_denied"));
    }

    [Theory]
    [InlineData(UnderscoresAction.RejectRequest, 1, 0)]
    [InlineData(UnderscoresAction.DropHeader, 0, 2)]
    [InlineData(UnderscoresAction.Allow, 0, 0)]
    public async Task HeadersWithUnderscores_AreCounted(UnderscoresAction action, long rejected, long dropped)
    {
        var options = new HttpTestOptions { Underscores = action };
        using var talk = new Conversation(fixture, options);
        talk.Policy.Use("empty");
        talk.ClientSends(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: a\r\na_b: 1\r\nc_d: 2\r\n\r\n"));
        await talk.Until(() => Value(options, "http.ingress.downstream_rq_4xx") == 1, "the answer");
        Assert.Equal(rejected, Value(options, "http1.requests_rejected_with_underscores_in_headers"));
        Assert.Equal(dropped, Value(options, "http1.dropped_headers_with_underscores"));
    }

    [Fact]
    public async Task MalformedHead_IsCounted()
    {
        var options = new HttpTestOptions();
        using var talk = new Conversation(fixture, options);
        talk.ClientSends(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nbad header\r\n\r\n"));
        await talk.Until(() => Value(options, "http.ingress.downstream_cx_protocol_error") == 1, "the refusal");
        Assert.Equal(0, Value(options, "http.ingress.downstream_rq_total"));
    }

    [Fact]
    public async Task UpstreamThatDies_IsCountedAsItsFailure()
    {
        var options = new HttpTestOptions();
        using var talk = new Conversation(fixture, options);
        talk.Policy.Use("allow-all");
        talk.ClientSends(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        await talk.Until(() => talk.Upstream.Text.EndsWith("\r\n\r\n"), "the request");
        await talk.UpstreamCloses();
        await talk.Until(() => Value(options, "http.ingress.downstream_rq_5xx") == 1, "the answer");
        Assert.Equal(1, Value(options, "cluster.test.upstream_rq_5xx"));
    }

    private static long Value(HttpTestOptions options, string name) => Sample(options, name).Value;

    private static long Count(HttpTestOptions options, string name) => Sample(options, name).Histogram!.Count;

    private static StatSample Sample(HttpTestOptions options, string name) => options.Stats.Read().Single(sample => sample.Name.Dotted == name);
}
