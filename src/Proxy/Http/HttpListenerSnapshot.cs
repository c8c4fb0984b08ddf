using System;
using Postern.Filters.Http;
using Postern.Proxy.Http2;
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
    /// <summary><c>max_requests_per_connection</c>; 0 for no limit.</summary>
    public int MaxRequestsPerConnection { get; init; }

    /// <summary>Which protocols a request may change to.</summary>
    public UpgradeRules Upgrades { get; init; }

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

    /// <summary>The bounds of its HTTP/2 connections.</summary>
    public Http2Options Http2 { get; init; } = Http2Options.Default;

    /// <summary>Of the connection manager's stat_prefix; the listener that holds this snapshot releases the scope.</summary>
    public HttpStats Stats { get; init; } = HttpStats.Unlisted();
}
