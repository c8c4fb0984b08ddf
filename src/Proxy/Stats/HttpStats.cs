namespace Postern.Proxy.Stats;

/// <summary>Stats of the HTTP connection managers with one <c>stat_prefix</c>.</summary>
internal sealed class HttpStats
{
    private readonly Counter deniedInAll;

    /// <param name="scope">Where the cells stand.</param>
    /// <param name="http1">Counts of all listeners together.</param>
    /// <param name="http2">Likewise.</param>
    /// <param name="deniedInAll">Counts refusals of the whole proxy.</param>
    public HttpStats(StatsScope scope, Http1Stats http1, Http2Stats http2, Counter deniedInAll)
    {
        Scope = scope;
        Http1 = http1;
        Http2 = http2;
        this.deniedInAll = deniedInAll;
        ConnectionsTotal = scope.Counter("downstream_cx_total");
        ConnectionsActive = scope.Gauge("downstream_cx_active");
        ConnectionsDestroyed = scope.Counter("downstream_cx_destroy");
        RequestsTotal = scope.Counter("downstream_rq_total");
        RequestsActive = scope.Gauge("downstream_rq_active");
        Responses = new ResponseClassCounters(scope, "downstream_rq");
        RequestTime = scope.Histogram("downstream_rq_time");
        AccessDenied = scope.Counter("cilium.access_denied");
        PathNormalisationFailed = scope.Counter("downstream_rq_failed_path_normalization");
        ProtocolErrors = scope.Counter("downstream_cx_protocol_error");
        RequestTimeouts = scope.Counter("downstream_rq_timeout");
        RequestMaxDuration = scope.Counter("downstream_rq_max_duration_reached");
        RequestsOverloaded = scope.Counter("downstream_rq_overload_close");
        ConnectionMaxDuration = scope.Counter("downstream_cx_max_duration_reached");
        ConnectionMaxRequests = scope.Counter("downstream_cx_max_requests_reached");
        ConnectionsNotKept = scope.Counter("downstream_cx_overload_disable_keepalive");
        NoRoute = scope.Counter("no_route");
        NoCluster = scope.Counter("no_cluster");
    }

    /// <summary>To be released when the last of its users is gone.</summary>
    public StatsScope Scope { get; }

    public Counter ConnectionsTotal { get; }

    public Gauge ConnectionsActive { get; }

    public Counter ConnectionsDestroyed { get; }

    public Counter RequestsTotal { get; }

    public Gauge RequestsActive { get; }

    public ResponseClassCounters Responses { get; }

    /// <summary>From the complete head to the end of the exchange, milliseconds.</summary>
    public Histogram RequestTime { get; }

    /// <summary>Requests that policy refused.</summary>
    public Counter AccessDenied { get; }

    /// <summary>Requests that were refused or redirected for their path.</summary>
    public Counter PathNormalisationFailed { get; }

    /// <summary>What all listeners count together.</summary>
    public Http1Stats Http1 { get; }

    /// <inheritdoc cref="Http1"/>
    public Http2Stats Http2 { get; }

    /// <summary>Heads that are no acceptable HTTP/1.1, or never came whole.</summary>
    public Counter ProtocolErrors { get; }

    /// <summary>Requests that took longer than <c>request_timeout</c> to arrive.</summary>
    public Counter RequestTimeouts { get; }

    /// <summary>Requests ended by <c>max_stream_duration</c>.</summary>
    public Counter RequestMaxDuration { get; }

    /// <summary>Requests refused by the overload manager.</summary>
    public Counter RequestsOverloaded { get; }

    /// <summary>Connections drained by <c>max_connection_duration</c>.</summary>
    public Counter ConnectionMaxDuration { get; }

    /// <summary>Connections closed by <c>max_requests_per_connection</c>.</summary>
    public Counter ConnectionMaxRequests { get; }

    /// <summary>Connections that the overload manager did not keep.</summary>
    public Counter ConnectionsNotKept { get; }

    public Counter NoRoute { get; }

    public Counter NoCluster { get; }

    /// <summary>Listed under its prefix; release <see cref="Scope"/> when the listener is gone.</summary>
    public static HttpStats In(StatsRegistry registry, string statPrefix) =>
        new(registry.Acquire(ScopeName.Tagged("http", "envoy_http_conn_manager_prefix", statPrefix)), registry.Http1, registry.Http2, registry.Policy.AccessDenied);

    /// <summary>Cells that nobody reads.</summary>
    public static HttpStats Unlisted() => new(new StatsScope(ScopeName.Tagged("http", "envoy_http_conn_manager_prefix", "")), new Http1Stats(new StatsScope(Http1Stats.Name)), Http2Stats.Unlisted(), new Counter());

    public void OnConnection()
    {
        ConnectionsTotal.Increment();
        ConnectionsActive.Increment();
    }

    public void OnConnectionEnd()
    {
        ConnectionsActive.Decrement();
        ConnectionsDestroyed.Increment();
    }

    public void OnRequest()
    {
        RequestsTotal.Increment();
        RequestsActive.Increment();
    }

    /// <summary>Policy refused a request.</summary>
    public void OnDenied()
    {
        AccessDenied.Increment();
        deniedInAll.Increment();
    }

    /// <summary>The exchange is over.</summary>
    /// <param name="status">0 when it ended without one.</param>
    /// <param name="milliseconds">How long it took.</param>
    public void OnRequestEnd(int status, long milliseconds)
    {
        RequestsActive.Decrement();
        Responses.Count(status);
        RequestTime.Record(milliseconds);
    }
}
