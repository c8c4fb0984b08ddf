namespace Postern.Proxy.Stats;

/// <summary>Stats of the tcp_proxy filters with one <c>stat_prefix</c>.</summary>
internal sealed class TcpStats
{
    public TcpStats(StatsScope scope)
    {
        Scope = scope;
        ConnectionsTotal = scope.Counter("downstream_cx_total");
        Flow = new FlowCounters(scope.Counter("downstream_flow_control_paused_reading_total"), scope.Counter("downstream_flow_control_resumed_reading_total"));
        IdleTimeouts = scope.Counter("idle_timeout");
        FlushTotal = scope.Counter("upstream_flush_total");
        FlushActive = scope.Gauge("upstream_flush_active");
    }

    /// <summary>To be released when the last of its users is gone.</summary>
    public StatsScope Scope { get; }

    public Counter ConnectionsTotal { get; }

    /// <summary>Times the client was not read because too much waited.</summary>
    public FlowCounters Flow { get; }

    public Counter IdleTimeouts { get; }

    /// <summary>Connections whose client was done while bytes still waited for the server.</summary>
    public Counter FlushTotal { get; }

    public Gauge FlushActive { get; }

    /// <summary>Listed under its prefix; release <see cref="Scope"/> when the listener is gone.</summary>
    public static TcpStats In(StatsRegistry registry, string statPrefix) => new(registry.Acquire(ScopeName.Tagged("tcp", "envoy_tcp_prefix", statPrefix)));

    /// <summary>Cells that nobody reads.</summary>
    public static TcpStats Unlisted() => new(new StatsScope(ScopeName.Tagged("tcp", "envoy_tcp_prefix", "")));
}
