using System;
using Postern.Filters.Http;
using Postern.Proxy.Http2;
using Postern.Proxy.Overload;
using Postern.Proxy.Stats;
using Postern.Records;
using Postern.Xds.Config;

namespace Postern.Proxy.Http;

/// <summary>What an HTTP connection manager needs on the hot path, compiled from its configuration. A connection takes it once.</summary>
/// <param name="Listener">Listener name, for records.</param>
/// <param name="Filters">The HTTP filter chain without the router.</param>
/// <param name="Routes">Where requests go.</param>
/// <param name="Sink">For records that no filter emits: malformed requests, timeouts.</param>
/// <param name="IdleTimeout">No request in flight.</param>
/// <param name="StreamIdleTimeout">No byte either way while one is.</param>
/// <param name="RequestHeadersTimeout">From the first byte of a head to its end.</param>
/// <param name="MaxHeadBytes">Request line and headers together.</param>
/// <param name="MaxHeaders">Header lines.</param>
internal sealed record HttpListenerSnapshot(
    string Listener,
    IHttpFilter[] Filters,
    RouteSlot Routes,
    IRecordSink Sink,
    TimeSpan? IdleTimeout,
    TimeSpan? StreamIdleTimeout,
    TimeSpan RequestHeadersTimeout,
    int MaxHeadBytes,
    int MaxHeaders)
{
    /// <summary>What is done to paths.</summary>
    public PathRules Paths { get; init; }

    /// <summary>What is taken off authorities.</summary>
    public HostRules Hosts { get; init; }

    /// <summary>What is done about the <c>server</c> of answers.</summary>
    public ServerHeader Server { get; init; }

    /// <summary>What becomes of header names with underscores.</summary>
    public UnderscoresAction Underscores { get; init; }

    /// <summary>What is done to the headers that tell of the client.</summary>
    public ForwardedHeaders Forwarded { get; init; } = ForwardedHeaders.Untouched;

    /// <summary>Appended to <c>via</c> both ways; empty appends nothing.</summary>
    public string Via { get; init; } = "";

    /// <summary>What is done about x-request-id.</summary>
    public RequestIds RequestIds { get; init; }

    /// <summary>Which HTTP is taken.</summary>
    public CodecType Codec { get; init; }

    /// <summary>The bounds of HTTP/2.</summary>
    public Http2Options Http2 { get; init; } = Http2Options.Default;

    /// <summary>What a connection may become; routes may say otherwise (<see cref="Route.Allows"/>).</summary>
    public UpgradeRules Upgrades { get; init; } = UpgradeRules.None;

    /// <summary>From a request's head to its last byte; null for no bound.</summary>
    public TimeSpan? RequestTimeout { get; init; }

    /// <summary>Then the connection drains; null for never.</summary>
    public TimeSpan? MaxConnectionDuration { get; init; }

    /// <summary>A request with its answer takes no longer, unless its route says otherwise (<see cref="Route.MaxStreamDuration"/>); null for no bound.</summary>
    public TimeSpan? MaxStreamDuration { get; init; }

    /// <summary>The last one's answer closes the connection; 0 for no bound.</summary>
    public int MaxRequestsPerConnection { get; init; }

    /// <summary>How long a client may take to close behind a last answer.</summary>
    public TimeSpan DelayedCloseTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>What the process sheds now.</summary>
    public OverloadState Overload { get; init; } = OverloadState.Never;

    /// <summary>Of the connection manager's stat_prefix; the listener that holds this snapshot releases the scope.</summary>
    public HttpStats Stats { get; init; } = HttpStats.Unlisted();
}
