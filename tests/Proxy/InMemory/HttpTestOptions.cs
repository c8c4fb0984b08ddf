using System;
using System.Net;
using Postern.Filters;
using Postern.Filters.Http;
using Postern.Proxy.Http;
using Postern.Proxy.Http2;
using Postern.Proxy.Overload;
using Postern.Proxy.Stats;
using Postern.Records;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>How the listener of one test is set up.</summary>
internal sealed record HttpTestOptions
{
    public string Policy { get; init; } = "allow-all";

    public string DeniedBody { get; init; } = "";

    public TimeSpan? IdleTimeout { get; init; }

    public TimeSpan? StreamIdleTimeout { get; init; }

    /// <summary>The cluster's <c>idle_timeout</c>.</summary>
    public TimeSpan? UpstreamIdleTimeout { get; init; }

    public TimeSpan? RouteTimeout { get; init; }

    public TimeSpan RequestHeadersTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public int MaxHeadBytes { get; init; } = 60 * 1024;

    public int MaxHeaders { get; init; } = 100;

    public RequestIds RequestIds { get; init; }

    /// <summary>Which versions the listener takes.</summary>
    public CodecType Codec { get; init; }

    /// <summary>Protocols that a request may change to.</summary>
    public string[] Upgrades { get; init; } = [];

    public PathRules Paths { get; init; }

    public HostRules Hosts { get; init; }

    public ServerHeader Server { get; init; }

    public UnderscoresAction Underscores { get; init; }

    public ForwardedHeaders Forwarded { get; init; } = ForwardedHeaders.Untouched;

    public string Via { get; init; } = "";

    /// <summary>In front of the policy filter.</summary>
    public IHttpFilter[] FirstFilters { get; init; } = [];

    /// <summary>Route only this path prefix.</summary>
    public string RoutePrefix { get; init; } = "/";

    /// <summary>The route's <c>prefix_rewrite</c>, or null.</summary>
    public string? RouteRewrite { get; init; }

    /// <summary>In place of <see cref="Policy"/>.</summary>
    public TestPolicy? Given { get; init; }

    /// <summary>What the listener makes of the connection; a client of identity 5 at a pod's port 80 where it is not said.</summary>
    public Func<TestPolicy, ConnectionMetadata>? Metadata { get; init; }

    /// <summary>The cluster's endpoints, one after the other; without them requests go to the original destination.</summary>
    public EndPoint[] Endpoints { get; init; } = [];

    /// <summary>Called with each record.</summary>
    public Action<VisibilityRecord>? OnRecord { get; init; }

    /// <summary>The route's cluster exists.</summary>
    public bool HasCluster { get; init; } = true;

    /// <summary>Where the listener ("ingress") and the cluster ("test") count.</summary>
    public StatsRegistry Stats { get; } = new();

    /// <summary>What HTTP the cluster's servers speak.</summary>
    public ClusterHttpProtocol UpstreamProtocol { get; init; } = ClusterHttpProtocol.Downstream;

    /// <summary>Bounds of HTTP/2 with clients.</summary>
    public Http2Options Http2 { get; init; } = Http2Options.Default;

    /// <summary><c>max_requests_per_connection</c> of clients; 0 for no bound.</summary>
    public int MaxRequests { get; init; }

    /// <summary><c>max_stream_duration</c>.</summary>
    public TimeSpan? MaxStreamDuration { get; init; }

    /// <summary>What the process sheds.</summary>
    public OverloadState Overload { get; } = new();

    /// <summary>Most bytes the proxy gets per read from the client.</summary>
    public int MaxRead { get; init; } = int.MaxValue;
}
