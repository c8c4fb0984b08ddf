using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Postern.Proxy.Admin;
using Postern.Proxy.Stats;
using Postern.Records;
using Postern.Tests.Proxy.Stats;
using Postern.Xds.Discovery;

namespace Postern.Tests.Proxy.Admin;

public class StatsPageTests
{
    [Fact]
    public async Task Text_HasDottedNames()
    {
        await using var host = await AdminHost.StartAsync();
        var http = HttpStats.In(host.Stats, "ingress");
        http.OnRequest();
        http.OnRequestEnd(204, 7);
        var lines = (await host.GetAsync("/stats")).Split('\n');
        Assert.Contains("http.ingress.downstream_rq_total: 1", lines);
        Assert.Contains("http.ingress.downstream_rq_active: 0", lines);
        Assert.Contains("http.ingress.downstream_rq_2xx: 1", lines);
        Assert.Contains("http.ingress.downstream_rq_5xx: 0", lines);
        Assert.Contains(lines, line => line.StartsWith("http.ingress.downstream_rq_time: P0(nan,5) P25(nan,", StringComparison.Ordinal));
        Assert.Contains("server.live: 1", lines);
        Assert.Contains("server.state: 0", lines);
        Assert.Contains("server.uptime: 75", lines);
    }

    [Fact]
    public async Task UsedOnlyAndFilter_LeaveOthersOut()
    {
        await using var host = await AdminHost.StartAsync();
        ClusterStats.In(host.Stats, "echo").RequestsTotal.Increment();
        Assert.Equal("cluster.echo.upstream_rq_total: 1\n", await host.GetAsync("/stats?usedonly&filter=^cluster\\."));
        Assert.Contains("cluster.echo.upstream_cx_total: 0\n", await host.GetAsync("/stats?filter=echo.upstream_cx"));
        Assert.Equal(400, (await host.AskAsync("GET", "/stats?filter=a)(b")).Status);
        Assert.Equal(400, (await host.AskAsync("GET", "/stats?format=html")).Status);
    }

    [Fact]
    public async Task Json_HasValuesAndHistograms()
    {
        await using var host = await AdminHost.StartAsync();
        HttpStats.In(host.Stats, "ingress").OnRequestEnd(200, 3);
        var stats = (await host.GetJsonAsync("/stats?format=json&filter=^http")).GetProperty("stats").EnumerateArray().ToList();
        Assert.Equal(1, stats.Single(s => s.TryGetProperty("name", out var name) && name.GetString() == "http.ingress.downstream_rq_2xx").GetProperty("value").GetInt64());
        var histogram = Assert.Single(stats[^1].GetProperty("histograms").GetProperty("computed_quantiles").EnumerateArray());
        Assert.Equal("http.ingress.downstream_rq_time", histogram.GetProperty("name").GetString());
        Assert.Equal(10, histogram.GetProperty("values").GetArrayLength());
    }

    [Theory]
    [InlineData("/stats/prometheus")]
    [InlineData("/stats?format=prometheus")]
    public async Task Prometheus_HasEnvoysNamesAndLabels(string path)
    {
        await using var host = await AdminHost.StartAsync();
        HttpStats.In(host.Stats, "ingress").OnRequestEnd(404, 30);
        ListenerStats.In(host.Stats, new System.Net.IPEndPoint(System.Net.IPAddress.IPv6Loopback, 80)).OnConnection();
        ClusterStats.In(host.Stats, "default/echo").Responses.Count(503);
        using var response = await host.SendAsync("GET", path);
        Assert.Equal("text/plain; version=0.0.4", response.Content.Headers.ContentType!.ToString());
        var read = PrometheusReader.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal(1, read.Series["envoy_http_downstream_rq_xx{envoy_response_code_class=4,envoy_http_conn_manager_prefix=ingress}"]);
        Assert.Equal(1, read.Series["envoy_listener_downstream_cx_active{envoy_listener_address=[__1]_80}"]);
        Assert.Equal(1, read.Series["envoy_cluster_upstream_rq_xx{envoy_response_code_class=5,envoy_cluster_name=default/echo}"]);
        Assert.Equal(0, read.Series["envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix=ingress,le=25}"]);
        Assert.Equal(1, read.Series["envoy_http_downstream_rq_time_bucket{envoy_http_conn_manager_prefix=ingress,le=50}"]);
        Assert.Equal(30, read.Series["envoy_http_downstream_rq_time_sum{envoy_http_conn_manager_prefix=ingress}"]);
        Assert.Equal("histogram", read.Types["envoy_http_downstream_rq_time"]);
        Assert.Equal("counter", read.Types["envoy_cluster_upstream_cx_total"]);
        Assert.Equal(1, read.Series["envoy_server_live"]);
    }

    [Fact]
    public async Task HostileNames_StayWithinTheirLabels()
    {
        await using var host = await AdminHost.StartAsync();
        string[] names = ["a\"} 5\nforged 1\n", "back\\slash\"", "nul\0\r", "a.b", "\ud800 alone", "{}=,"];
        foreach (var name in names)
        {
            ClusterStats.In(host.Stats, name).RequestsTotal.Increment();
        }
        var read = PrometheusReader.Parse(await host.GetAsync("/stats/prometheus"));
        Assert.Equal(1, read.Series["envoy_cluster_upstream_rq_total{envoy_cluster_name=a\"} 5\nforged 1\n}"]);
        Assert.Equal(1, read.Series["envoy_cluster_upstream_rq_total{envoy_cluster_name=back\\slash\"}"]);
        Assert.Equal(names.Length, read.Series.Keys.Count(key => key.StartsWith("envoy_cluster_upstream_rq_total{", StringComparison.Ordinal)));
        Assert.DoesNotContain((await host.GetAsync("/stats")).Split('\n'), line => line.StartsWith("forged", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Subscriptions_HaveEnvoysStats()
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Subscriptions =
        [
            Subscription(ResourceType.Listener, "live") with { Received = 5, Accepted = 4, Rejected = 1, Attempts = 3, Version = "abc", RejectedByResource = new Dictionary<string, long> { ["web"] = 1 } },
            Subscription(ResourceType.NetworkPolicy, "live") with { Accepted = 2 },
            Subscription(ResourceType.NetworkPolicy, "backoff") with { Accepted = 3, FetchTimeouts = 1 },
            Subscription(ResourceType.Endpoint, "live") with { Names = ["echo"], Accepted = 6 },
        ];
        var text = await host.GetAsync("/stats");
        Assert.Contains("listener_manager.lds.update_attempt: 8\n", text);
        Assert.Contains("listener_manager.lds.update_success: 4\n", text);
        Assert.Contains("listener_manager.lds.update_rejected: 1\n", text);
        Assert.Contains("listener_manager.lds.update_failure: 2\n", text);
        Assert.Contains("listener_manager.lds.version_text: \"abc\"\n", text);
        Assert.Contains("listener_manager.lds.control_plane.connected_state: 1\n", text);
        Assert.Contains("cilium.npds.update_success: 5\n", text);
        Assert.Contains("cilium.npds.init_fetch_timeout: 1\n", text);
        Assert.Contains("cilium.npds.control_plane.connected_state: 0\n", text);
        Assert.Contains("\ncontrol_plane.connected_state: 0\n", text);
        Assert.Contains("cluster.echo.update_success: 6\n", text);
        var read = PrometheusReader.Parse(await host.GetAsync("/stats/prometheus"));
        Assert.Equal(1, read.Series["postern_xds_resource_rejected{type=LDS,resource=web}"]);
        Assert.NotEqual(0, read.Series["envoy_listener_manager_lds_version"]);
    }

    [Fact]
    public async Task ResourcesByState_AreCounted()
    {
        await using var host = await AdminHost.StartAsync();
        ResourceStatus Of(ResourceType type, string name, ResourceState state) => new(type, name, state, "1", FakeTarget.Epoch, [], "", null);
        host.Target.Resources = [Of(ResourceType.Cluster, "a", ResourceState.Warming), Of(ResourceType.Listener, "b", ResourceState.Active), Of(ResourceType.Listener, "c", ResourceState.Warming)];
        host.Target.State = ServerState.Initializing;
        var text = await host.GetAsync("/stats");
        Assert.Contains("cluster_manager.warming_clusters: 1\n", text);
        Assert.Contains("listener_manager.total_listeners_active: 1\n", text);
        Assert.Contains("listener_manager.total_listeners_warming: 1\n", text);
        Assert.Contains("server.live: 0\n", text);
        Assert.Contains("server.state: 3\n", text);
    }

    [Fact]
    public async Task Records_AreCountedBySink()
    {
        await using var host = await AdminHost.StartAsync();
        host.Stats.AddSource(new RecordStats(() => [new SinkCounters("json", 10, 2, 900, 1)]));
        var read = PrometheusReader.Parse(await host.GetAsync("/stats/prometheus?filter=records"));
        Assert.Equal(10, read.Series["postern_records_written{sink=json}"]);
        Assert.Equal(3, read.Series["postern_records_dropped{sink=json}"]);
    }

    private static SubscriptionStatus Subscription(ResourceType type, string state) => new() { Type = type, Source = "grpc x", State = state };
}
