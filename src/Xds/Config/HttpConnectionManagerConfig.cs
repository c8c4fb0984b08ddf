using System;
using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary><c>envoy.filters.network.http_connection_manager</c>, the fields Postern honours.</summary>
public sealed record HttpConnectionManagerConfig : NetworkFilterConfig
{
    /// <summary>Required.</summary>
    public required string StatPrefix { get; init; }

    /// <summary><c>route_config</c>, inline; null when <see cref="Rds"/> is set.</summary>
    public RouteConfig? RouteConfig { get; init; }

    /// <summary><c>rds</c>; null when the routes stand inline.</summary>
    public RdsConfig? Rds { get; init; }

    /// <summary>In order; the last one is the router.</summary>
    public EquatableList<HttpFilterConfig> HttpFilters { get; init; } = [];

    /// <summary><c>common_http_protocol_options.idle_timeout</c>: no request in flight; default 1 h, null when 0.</summary>
    public TimeSpan? IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary><c>stream_idle_timeout</c>: no byte either way; default 5 min, null when 0.</summary>
    public TimeSpan? StreamIdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary><c>request_headers_timeout</c>; Envoy's default is none, null leaves the process bound.</summary>
    public TimeSpan? RequestHeadersTimeout { get; init; }

    /// <summary><c>codec_type</c>; default AUTO.</summary>
    public CodecType Codec { get; init; }

    /// <summary><c>http2_protocol_options</c>.</summary>
    public Http2ProtocolConfig Http2 { get; init; } = Http2ProtocolConfig.Default;

    /// <summary><c>upgrade_configs</c>; types are unique.</summary>
    public EquatableList<UpgradeConfig> Upgrades { get; init; } = [];

    /// <summary><c>request_timeout</c>: from a request's head to its last byte; default none.</summary>
    public TimeSpan? RequestTimeout { get; init; }

    /// <summary><c>common_http_protocol_options.max_connection_duration</c>: then the connection drains; default none.</summary>
    public TimeSpan? MaxConnectionDuration { get; init; }

    /// <summary><c>common_http_protocol_options.max_stream_duration</c>: of a request with its answer; default none.</summary>
    public TimeSpan? MaxStreamDuration { get; init; }

    /// <summary><c>common_http_protocol_options.max_requests_per_connection</c>: the last one's answer closes; 0 for no bound.</summary>
    public int MaxRequestsPerConnection { get; init; }

    /// <summary><c>drain_timeout</c>: the most between the first GOAWAY and the last; default 5 s.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary><c>delayed_close_timeout</c>: how long a client may take to close behind a last answer; default 1 s, zero closes at once.</summary>
    public TimeSpan DelayedCloseTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary><c>max_request_headers_kb</c>, default 60.</summary>
    public int MaxRequestHeadersKb { get; init; } = 60;

    /// <summary><c>common_http_protocol_options.max_headers_count</c>, default 100.</summary>
    public int MaxHeadersCount { get; init; } = 100;

    /// <summary><c>generate_request_id</c>. Postern's default is false (nothing is added unless configured); Envoy's is true.</summary>
    public bool GenerateRequestId { get; init; }

    /// <summary><c>preserve_external_request_id</c>: a generated x-request-id does not replace an outside client's.</summary>
    public bool PreserveExternalRequestId { get; init; }

    /// <summary><c>always_set_request_id_in_response</c>.</summary>
    public bool AlwaysSetRequestIdInResponse { get; init; }

    /// <summary><c>use_remote_address</c>: who is connected is the client, not whoever x-forwarded-for names.</summary>
    public bool UseRemoteAddress { get; init; }

    /// <summary><c>skip_xff_append</c>: the headers that tell of the client pass unchanged.</summary>
    public bool SkipXffAppend { get; init; }

    /// <summary><c>xff_num_trusted_hops</c>: addresses at the end of x-forwarded-for that trusted proxies wrote.</summary>
    public int XffTrustedHops { get; init; }

    /// <summary><c>internal_address_config.cidr_ranges</c>; none: every client is an outside one.</summary>
    public EquatableList<CidrConfig> InternalRanges { get; init; } = [];

    /// <summary><c>via</c>: appended to that header both ways; empty appends nothing.</summary>
    public string Via { get; init; } = "";

    /// <summary><c>strip_matching_host_port</c>, <c>strip_any_host_port</c>.</summary>
    public HostPortStripping HostPortStripping { get; init; }

    /// <summary><c>strip_trailing_host_dot</c>.</summary>
    public bool StripTrailingHostDot { get; init; }

    /// <summary><c>server_header_transformation</c>. Postern's default is to pass it; Envoy's is to overwrite.</summary>
    public ServerHeaderAction ServerHeaderAction { get; init; }

    /// <summary><c>server_name</c>; only meant where <see cref="ServerHeaderAction"/> is not to pass.</summary>
    public string ServerName { get; init; } = "";

    /// <summary><c>common_http_protocol_options.headers_with_underscores_action</c>; the default is ALLOW.</summary>
    public UnderscoresAction UnderscoresAction { get; init; }

    /// <summary><c>normalize_path</c>: dot segments and needless escapes go, as RFC 3986 says.</summary>
    public bool NormalizePath { get; init; }

    /// <summary><c>merge_slashes</c>: <c>//</c> becomes <c>/</c>.</summary>
    public bool MergeSlashes { get; init; }

    /// <summary><c>path_with_escaped_slashes_action</c>; the default is KEEP_UNCHANGED.</summary>
    public EscapedSlashesAction EscapedSlashesAction { get; init; }
}

/// <summary>What becomes of a path with <c>%2F</c> or <c>%5C</c> (<c>PathWithEscapedSlashesAction</c>).</summary>
public enum EscapedSlashesAction
{
    /// <summary>It passes.</summary>
    KeepUnchanged,

    /// <summary>400.</summary>
    RejectRequest,

    /// <summary>A redirect to the path without the escapes.</summary>
    UnescapeAndRedirect,

    /// <summary>The request goes on without the escapes.</summary>
    UnescapeAndForward,
}

/// <summary>What becomes of a request header whose name has an underscore (<c>HeadersWithUnderscoresAction</c>).</summary>
public enum UnderscoresAction
{
    /// <summary>It passes.</summary>
    Allow,

    /// <summary>The request gets 400.</summary>
    RejectRequest,

    /// <summary>The request goes on without it.</summary>
    DropHeader,
}

/// <summary>When the port of a request's authority is taken off.</summary>
public enum HostPortStripping
{
    /// <summary>Never.</summary>
    None,

    /// <summary>When it is the port that the client connected to.</summary>
    Matching,

    /// <summary>Always.</summary>
    Any,
}

/// <summary>What becomes of an answer's <c>server</c>.</summary>
public enum ServerHeaderAction
{
    /// <summary>It passes, or stays away.</summary>
    PassThrough,

    /// <summary>It is replaced.</summary>
    Overwrite,

    /// <summary>It is added where there is none.</summary>
    AppendIfAbsent,
}

/// <summary>One HTTP filter.</summary>
public abstract record HttpFilterConfig;

/// <summary><c>cilium.l7policy</c>.</summary>
/// <param name="AccessLogPath">SOCK_SEQPACKET socket, or empty.</param>
/// <param name="Denied403Body">As configured; empty means "Access denied".</param>
public sealed record L7PolicyConfig(string AccessLogPath, string Denied403Body) : HttpFilterConfig;

/// <summary><c>envoy.filters.http.router</c>.</summary>
public sealed record RouterConfig : HttpFilterConfig;

/// <summary><c>Rds</c>: the route table of that name, from there.</summary>
public sealed record RdsConfig(string RouteConfigName, ConfigSourceConfig Source);

/// <summary><c>RouteConfiguration</c>.</summary>
public sealed record RouteConfig(string Name, EquatableList<VirtualHostConfig> VirtualHosts);

/// <summary><c>VirtualHost</c>: domains are exact, <c>*.suffix</c>, <c>prefix.*</c> or <c>*</c>.</summary>
public sealed record VirtualHostConfig(string Name, EquatableList<string> Domains, EquatableList<RouteEntryConfig> Routes);
