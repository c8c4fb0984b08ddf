using System.Net;

namespace Postern.Proxy.Stats;

/// <summary>Stats of one listening address.</summary>
internal sealed class ListenerStats
{
    private readonly Counter deniedInAll;

    /// <param name="scope">Where the cells stand.</param>
    /// <param name="deniedInAll">Counts refusals of the whole proxy.</param>
    public ListenerStats(StatsScope scope, Counter deniedInAll)
    {
        Scope = scope;
        this.deniedInAll = deniedInAll;
        ConnectionsTotal = scope.Counter("downstream_cx_total");
        ConnectionsActive = scope.Gauge("downstream_cx_active");
        ConnectionsDestroyed = scope.Counter("downstream_cx_destroy");
        Overflow = scope.Counter("downstream_cx_overflow");
        SourceOverflow = scope.Counter("downstream_cx_source_overflow");
        OverloadReject = scope.Counter("downstream_cx_overload_reject");
        FilterErrors = scope.Counter("downstream_listener_filter_error");
        NoFilterChainMatch = scope.Counter("no_filter_chain_match");
        AccessDenied = scope.Counter("cilium.access_denied");
        Tls = new TlsStats(scope);
        TlsSecretsNotReady = scope.Counter("server_ssl_socket_factory.downstream_context_secrets_not_ready");
        ClosedByPolicy = scope.Counter("cilium.connections_closed_by_policy");
    }

    /// <summary>To be released when the listener is gone.</summary>
    public StatsScope Scope { get; }

    public Counter ConnectionsTotal { get; }

    public Gauge ConnectionsActive { get; }

    public Counter ConnectionsDestroyed { get; }

    /// <summary>Connections that the process's limit refused.</summary>
    public Counter Overflow { get; }

    /// <summary>Connections refused because their source had too many.</summary>
    public Counter SourceOverflow { get; }

    /// <summary>Connections that the overload manager rejected.</summary>
    public Counter OverloadReject { get; }

    /// <summary>Connections that an inspector refused.</summary>
    public Counter FilterErrors { get; }

    public Counter NoFilterChainMatch { get; }

    /// <summary>Connections that policy refused.</summary>
    public Counter AccessDenied { get; }

    /// <summary>Of its handshakes.</summary>
    public TlsStats Tls { get; }

    /// <summary>Connections closed because a secret of the chain's TLS had not come.</summary>
    public Counter TlsSecretsNotReady { get; }

    /// <summary>Connections that policy had allowed and a change of it closed.</summary>
    public Counter ClosedByPolicy { get; }

    /// <summary>Listed under the listener's first address.</summary>
    public static ListenerStats In(StatsRegistry registry, IPEndPoint address) =>
        new(registry.Acquire(ScopeName.Tagged("listener", "envoy_listener_address", NameOf(address))), registry.Policy.AccessDenied);

    /// <summary>Cells that nobody reads.</summary>
    public static ListenerStats Unlisted() => new(new StatsScope(ScopeName.Tagged("listener", "envoy_listener_address", "")), new Counter());

    /// <summary><c>127.0.0.1_80</c>, <c>[__1]_80</c>: colons would be taken for separators by statsd readers, as Envoy has it.</summary>
    public static string NameOf(IPEndPoint address) => address.ToString().Replace(':', '_');

    public void OnConnection()
    {
        ConnectionsTotal.Increment();
        ConnectionsActive.Increment();
    }

    /// <summary>Policy refused a connection.</summary>
    public void OnDenied()
    {
        AccessDenied.Increment();
        deniedInAll.Increment();
    }

    public void OnConnectionEnd()
    {
        ConnectionsActive.Decrement();
        ConnectionsDestroyed.Increment();
    }
}
