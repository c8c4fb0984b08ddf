namespace Postern.Proxy.Errors;

/// <summary>What went wrong on the data path. One table (<see cref="ErrorTable"/>) says what each means to the client, the record and the metrics.</summary>
internal enum ErrorCode
{
    None,
    UpstreamConnectRefused,
    UpstreamConnectTimeout,
    UpstreamUnreachable,
    UpstreamSocket,
    UpstreamReset,
    UpstreamProtocol,
    UpstreamLoop,

    /// <summary>No TLS with the upstream: its certificate, the handshake, or no context to make one with.</summary>
    UpstreamTls,

    /// <summary>Policy asks for TLS to the upstream, and the cluster cannot give it.</summary>
    TlsContextRequired,
    ResponseTimeout,
    StreamIdleTimeout,
    NoRoute,
    NoCluster,
    NoHealthyEndpoint,
    UpgradeNotConfigured,
    RequestBodyMalformed,

    /// <summary>The listener's options refuse the path.</summary>
    PathRefused,

    /// <summary>The listener's options refuse the name of a header.</summary>
    UnderscoreInHeader,
    DownstreamReset,

    /// <summary>Policy changed, and the connection is no longer allowed.</summary>
    PolicyChanged,
    RequestHeadTimeout,

    /// <summary><c>request_timeout</c>: its body did not arrive in time.</summary>
    RequestTimeout,

    /// <summary><c>max_stream_duration</c>, or what <c>grpc-timeout</c> said.</summary>
    MaxStreamDuration,

    /// <summary>The overload manager refuses new requests.</summary>
    Overloaded,

    /// <summary>A circuit breaker of the cluster.</summary>
    UpstreamOverflow,
    RequestHeadTruncated,
    Internal,
}

/// <summary>Whose fault.</summary>
internal enum ErrorSide
{
    Downstream,
    Upstream,
    Internal,
}

/// <summary>Whether the same request may be sent again.</summary>
internal enum RetryClass
{
    /// <summary>Never: the upstream may have acted on it.</summary>
    No,

    /// <summary>Nothing was sent.</summary>
    Safe,

    /// <summary>Only when the connection had served before, so that its death was likely an idle close.</summary>
    ReusedOnly,
}

/// <summary>An error as a value.</summary>
/// <param name="Code">What.</param>
/// <param name="Detail">For operators: the likely cause and the knob.</param>
internal readonly record struct ProxyError(ErrorCode Code, string Detail)
{
    public static readonly ProxyError None = new(ErrorCode.None, "");

    public bool IsError => Code != ErrorCode.None;
}
