using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary><c>envoy.config.listener.v3.FilterChain</c>.</summary>
/// <param name="Name">May be empty.</param>
/// <param name="Match">Null matches everything.</param>
/// <param name="Filters">In order; exactly one terminal, at the end.</param>
public sealed record FilterChainConfig(string Name, FilterChainMatchConfig? Match, EquatableList<NetworkFilterConfig> Filters)
{
    /// <summary><c>transport_socket</c> is <c>envoy.transport_sockets.tls</c>; null without.</summary>
    public DownstreamTlsConfig? Tls { get; init; }

    /// <summary><c>transport_socket</c> is <c>cilium.tls_wrapper</c>: policy says of each connection whether TLS ends here, and with which context.</summary>
    public bool TlsByPolicy { get; init; }

    /// <summary><c>transport_socket_connect_timeout</c>: how long a handshake may take; null where it is not written.</summary>
    public System.TimeSpan? HandshakeTimeout { get; init; }
}

/// <summary><c>FilterChainMatch</c>. Empty lists and nulls match anything.</summary>
public sealed record FilterChainMatchConfig
{
    /// <summary><c>destination_port</c>.</summary>
    public uint? DestinationPort { get; init; }

    /// <summary><c>prefix_ranges</c>: destination.</summary>
    public EquatableList<CidrConfig> PrefixRanges { get; init; } = [];

    /// <summary><c>server_names</c>: exact or <c>*.suffix</c>, lower case.</summary>
    public EquatableList<string> ServerNames { get; init; } = [];

    /// <summary><c>transport_protocol</c>: "", "raw_buffer" or "tls".</summary>
    public string TransportProtocol { get; init; } = "";

    /// <summary><c>application_protocols</c>.</summary>
    public EquatableList<string> ApplicationProtocols { get; init; } = [];

    /// <summary><c>source_prefix_ranges</c>.</summary>
    public EquatableList<CidrConfig> SourcePrefixRanges { get; init; } = [];

    /// <summary><c>source_ports</c>.</summary>
    public EquatableList<uint> SourcePorts { get; init; } = [];
}

/// <summary><c>envoy.config.core.v3.CidrRange</c>.</summary>
public sealed record CidrConfig(System.Net.IPAddress Address, int PrefixLength);

/// <summary>One network filter.</summary>
public abstract record NetworkFilterConfig;

/// <summary><c>cilium.network</c>.</summary>
/// <param name="AccessLogPath">SOCK_SEQPACKET socket, or empty.</param>
public sealed record CiliumNetworkConfig(string AccessLogPath) : NetworkFilterConfig;

/// <summary><c>envoy.filters.network.tcp_proxy</c>.</summary>
/// <param name="StatPrefix">Required.</param>
/// <param name="Cluster">Cluster name.</param>
/// <param name="IdleTimeout">Default 1 h; null when disabled by 0.</param>
public sealed record TcpProxyConfig(string StatPrefix, string Cluster, System.TimeSpan? IdleTimeout) : NetworkFilterConfig
{
    /// <summary><c>max_downstream_connection_duration</c>: then it is reset; default none.</summary>
    public System.TimeSpan? MaxDownstreamConnectionDuration { get; init; }
}
