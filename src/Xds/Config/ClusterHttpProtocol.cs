namespace Postern.Xds.Config;

/// <summary>Which HTTP a cluster is spoken to with.</summary>
public enum ClusterHttpProtocol
{
    /// <summary><c>explicit_http_config.http_protocol_options</c>; the default but for ORIGINAL_DST.</summary>
    Http1,

    /// <summary><c>explicit_http_config.http2_protocol_options</c>, or the old <c>http2_protocol_options</c> of the cluster: what is behind it may speak nothing else.</summary>
    Http2,

    /// <summary><c>use_downstream_protocol_config</c>: what the client spoke; the default of ORIGINAL_DST.</summary>
    Downstream,

    /// <summary><c>auto_config</c>: by ALPN; without TLS HTTP/1.</summary>
    Auto,
}
