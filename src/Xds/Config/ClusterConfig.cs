using System;
using System.Net;
using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary><c>envoy.config.cluster.v3.Cluster</c>, the fields Postern honours.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Type">ORIGINAL_DST, STATIC or EDS.</param>
/// <param name="ConnectTimeout">Default 5 s.</param>
/// <param name="Endpoints">STATIC: <c>load_assignment</c>'s addresses, in order, IP or Unix socket; empty for the other types.</param>
public sealed record ClusterConfig(string Name, ClusterType Type, TimeSpan ConnectTimeout, EquatableList<EndPoint> Endpoints)
{
    /// <summary>EDS only.</summary>
    public EdsConfig? Eds { get; init; }

    /// <summary>What HTTP is spoken to it; the default is HTTP/1, of ORIGINAL_DST what the client spoke.</summary>
    public ClusterHttpProtocol HttpProtocol { get; init; } = Type == ClusterType.OriginalDst ? ClusterHttpProtocol.Downstream : ClusterHttpProtocol.Http1;

    /// <summary>The HTTP/2 options of whatever says <see cref="HttpProtocol"/>.</summary>
    public Http2ProtocolConfig Http2 { get; init; } = Http2ProtocolConfig.Default;

    /// <summary><c>common_http_protocol_options.idle_timeout</c>: of a kept connection without a request; default 1 h, null when 0.</summary>
    public TimeSpan? IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary><c>common_http_protocol_options.max_connection_duration</c>: an older connection takes no further request; default none.</summary>
    public TimeSpan? MaxConnectionDuration { get; init; }

    /// <summary><c>common_http_protocol_options.max_requests_per_connection</c>; 0 for no bound.</summary>
    public int MaxRequestsPerConnection { get; init; }

    /// <summary><c>circuit_breakers</c>.</summary>
    public CircuitBreakersConfig CircuitBreakers { get; init; } = CircuitBreakersConfig.Unlimited;

    /// <summary><c>transport_socket</c> is <c>envoy.transport_sockets.tls</c>; null without.</summary>
    public UpstreamTlsConfig? Tls { get; init; }

    /// <summary><c>transport_socket</c> is <c>cilium.tls_wrapper</c>: policy says of each connection whether TLS begins here, and with which context.</summary>
    public bool TlsByPolicy { get; init; }

    /// <summary><c>upstream_http_protocol_options.auto_sni</c>: the server name sent is the host of the request.</summary>
    public bool AutoSni { get; init; }

    /// <summary><c>upstream_http_protocol_options.auto_san_validation</c>: the server's certificate must be for that host, and that alone decides.</summary>
    public bool AutoSanValidation { get; init; }
}

/// <summary><c>eds_cluster_config</c>.</summary>
/// <param name="ServiceName"><c>service_name</c>, or the name of the cluster.</param>
/// <param name="Source"><c>eds_config</c>.</param>
public sealed record EdsConfig(string ServiceName, ConfigSourceConfig Source);

/// <summary><c>Cluster.DiscoveryType</c>.</summary>
public enum ClusterType
{
    /// <summary>Fixed addresses.</summary>
    Static = 0,

    /// <summary>Endpoints by discovery.</summary>
    Eds = 3,

    /// <summary>The connection's original destination.</summary>
    OriginalDst = 4,
}
