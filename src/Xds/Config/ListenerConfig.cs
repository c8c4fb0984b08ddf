using System;
using System.Net;
using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary>A validated <c>envoy.config.listener.v3.Listener</c>. Compares by meaning.</summary>
public sealed record ListenerConfig
{
    /// <summary>Unique among listeners.</summary>
    public required string Name { get; init; }

    /// <summary><c>address</c> and <c>additional_addresses</c>, TCP; at least one.</summary>
    public required EquatableList<IPEndPoint> Addresses { get; init; }

    /// <summary><c>transparent</c>, or a listener filter (<c>cilium.bpf_metadata</c>) that needs it: IP_TRANSPARENT on the listening socket.</summary>
    public bool Transparent { get; init; }

    /// <summary><c>enable_reuse_port</c>, default true.</summary>
    public bool EnableReusePort { get; init; } = true;

    /// <summary><c>tcp_backlog_size</c>; 0 takes the system's default.</summary>
    public int TcpBacklogSize { get; init; }

    /// <summary><c>listener_filters_timeout</c>: bound on sniffing; default 15 s, zero disables.</summary>
    public TimeSpan ListenerFiltersTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary><c>continue_on_listener_filters_timeout</c>.</summary>
    public bool ContinueOnListenerFiltersTimeout { get; init; }

    /// <summary>In order.</summary>
    public EquatableList<ListenerFilterConfig> ListenerFilters { get; init; } = [];

    /// <summary>In order; at least one, or a default chain.</summary>
    public EquatableList<FilterChainConfig> FilterChains { get; init; } = [];

    /// <summary><c>default_filter_chain</c>, or null.</summary>
    public FilterChainConfig? DefaultFilterChain { get; init; }
}

/// <summary>One listener filter.</summary>
public abstract record ListenerFilterConfig;

/// <summary><c>envoy.filters.listener.original_dst</c>.</summary>
public sealed record OriginalDstConfig : ListenerFilterConfig;

/// <summary><c>envoy.filters.listener.tls_inspector</c>.</summary>
/// <param name="MaxClientHelloBytes">Bound on what is peeked; default 16 KiB × 4.</param>
public sealed record TlsInspectorConfig(int MaxClientHelloBytes) : ListenerFilterConfig;

/// <summary><c>envoy.filters.listener.http_inspector</c>.</summary>
public sealed record HttpInspectorConfig : ListenerFilterConfig;
