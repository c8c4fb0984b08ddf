namespace Postern.Proxy.Stats;

/// <summary>Stats of one cluster.</summary>
internal sealed class ClusterStats
{
    /// <param name="scope">Where the cells stand.</param>
    /// <param name="http2">Counts of all clusters together.</param>
    public ClusterStats(StatsScope scope, Http2Stats http2)
    {
        Scope = scope;
        Http2 = http2;
        ConnectionsTotal = scope.Counter("upstream_cx_total");
        ConnectionsActive = scope.Gauge("upstream_cx_active");
        ConnectFailures = scope.Counter("upstream_cx_connect_fail");
        ConnectTimeouts = scope.Counter("upstream_cx_connect_timeout");
        Flow = new FlowCounters(scope.Counter("upstream_flow_control_paused_reading_total"), scope.Counter("upstream_flow_control_resumed_reading_total"));
        NoneHealthy = scope.Counter("upstream_cx_none_healthy");
        ConnectionOverflow = scope.Counter("upstream_cx_overflow");
        RequestOverflow = scope.Counter("upstream_rq_pending_overflow");
        RequestsActive = scope.Gauge("upstream_rq_active");
        RequestsTotal = scope.Counter("upstream_rq_total");
        Tls = new TlsStats(scope);
        Responses = new ResponseClassCounters(scope, "upstream_rq");
    }

    /// <summary>To be released when the cluster is gone.</summary>
    public StatsScope Scope { get; }

    /// <summary>What all clusters and listeners count together.</summary>
    public Http2Stats Http2 { get; }

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

    /// <summary>Connections refused by <c>max_connections</c>.</summary>
    public Counter ConnectionOverflow { get; }

    /// <summary>Requests refused by <c>max_requests</c>.</summary>
    public Counter RequestOverflow { get; }

    /// <summary>Requests in flight.</summary>
    public Gauge RequestsActive { get; }

    /// <summary>Requests whose head was sent, second tries too.</summary>
    public Counter RequestsTotal { get; }

    /// <summary>Of its handshakes.</summary>
    public TlsStats Tls { get; }

    /// <summary>Answers, and the proxy's own when the upstream failed.</summary>
    public ResponseClassCounters Responses { get; }

    /// <summary>Listed under its name; release <see cref="Scope"/> when the cluster is gone.</summary>
    public static ClusterStats In(StatsRegistry registry, string cluster) =>
        new(registry.Acquire(ScopeName.Tagged("cluster", "envoy_cluster_name", cluster)), registry.Http2);

    /// <summary>Cells that nobody reads.</summary>
    public static ClusterStats Unlisted() => new(new StatsScope(ScopeName.Tagged("cluster", "envoy_cluster_name", "")), Http2Stats.Unlisted());
}
