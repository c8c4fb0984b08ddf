namespace Postern.Proxy.Stats;

/// <summary>Stats of one cluster.</summary>
internal sealed class ClusterStats
{
    public ClusterStats(StatsScope scope)
    {
        Scope = scope;
        ConnectionsTotal = scope.Counter("upstream_cx_total");
        ConnectionsActive = scope.Gauge("upstream_cx_active");
        ConnectFailures = scope.Counter("upstream_cx_connect_fail");
        ConnectTimeouts = scope.Counter("upstream_cx_connect_timeout");
        Flow = new FlowCounters(scope.Counter("upstream_flow_control_paused_reading_total"), scope.Counter("upstream_flow_control_resumed_reading_total"));
        NoneHealthy = scope.Counter("upstream_cx_none_healthy");
        RequestsTotal = scope.Counter("upstream_rq_total");
        Responses = new ResponseClassCounters(scope, "upstream_rq");
    }

    /// <summary>To be released when the cluster is gone.</summary>
    public StatsScope Scope { get; }

    /// <summary>Connections attempted.</summary>
    public Counter ConnectionsTotal { get; }

    /// <summary>Connections open.</summary>
    public Gauge ConnectionsActive { get; }

    /// <summary>Attempts that came to nothing, those timed out too.</summary>
    public Counter ConnectFailures { get; }

    public Counter ConnectTimeouts { get; }

    /// <summary>Times an upstream connection was not read because too much waited for the client (TCP).</summary>
    public FlowCounters Flow { get; }

    /// <summary>Times there was no endpoint to go to.</summary>
    public Counter NoneHealthy { get; }

    /// <summary>Requests whose head was sent, second tries too.</summary>
    public Counter RequestsTotal { get; }

    /// <summary>Answers, and the proxy's own when the upstream failed.</summary>
    public ResponseClassCounters Responses { get; }

    /// <summary>Listed under its name; release <see cref="Scope"/> when the cluster is gone.</summary>
    public static ClusterStats In(StatsRegistry registry, string cluster) =>
        new(registry.Acquire(ScopeName.Tagged("cluster", "envoy_cluster_name", cluster)));

    /// <summary>Cells that nobody reads.</summary>
    public static ClusterStats Unlisted() => new(new StatsScope(ScopeName.Tagged("cluster", "envoy_cluster_name", "")));
}
