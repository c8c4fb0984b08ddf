using System;
using System.Net;
using System.Threading;
using Postern.Proxy.Http2;
using Postern.Proxy.Stats;
using Postern.Xds.Config;

namespace Postern.Proxy.Upstream;

/// <summary>A cluster as the data path uses it: its configuration never changes, its endpoints are swapped by one reference write.</summary>
internal sealed class ClusterSnapshot(ClusterConfig config, ClusterStats? stats = null)
{
    private uint requests;
    private uint connections;
    private volatile EndpointSet endpoints = EndpointSet.Of(config.Endpoints);

    public ClusterConfig Config { get; } = config;

    public string Name => Config.Name;

    /// <summary>The bounds of HTTP/2 towards it.</summary>
    public Http2Options Http2 { get; } = Http2Settings.Compile(config.Http2);

    /// <summary>Whoever made the snapshot releases the scope.</summary>
    public ClusterStats Stats { get; } = stats ?? ClusterStats.Unlisted();

    /// <summary>TLS to its endpoints. Set before the snapshot is in force; outside of discovery a configured TLS has no context, and so no connection.</summary>
    public UpstreamTls Tls { get; set; } = UpstreamTls.None;

    public TimeSpan ConnectTimeout => Config.ConnectTimeout;

    /// <summary>Whether a connection to it was idle for longer than <c>idle_timeout</c> allows.</summary>
    public bool IsIdleTooLong(long idleMillis) => Config.IdleTimeout is { } timeout && idleMillis > timeout.TotalMilliseconds;

    /// <summary>Written by the configuration thread when EDS says so.</summary>
    public EndpointSet Endpoints
    {
        get => endpoints;
        set => endpoints = value;
    }

    /// <summary>Whether one more request may go there (<c>max_requests</c>); each true needs one <see cref="LeaveRequest"/>.</summary>
    public bool TryEnterRequest()
    {
        if (Interlocked.Increment(ref requests) <= Config.CircuitBreakers.MaxRequests)
        {
            Stats.RequestsActive.Increment();
            return true;
        }
        Interlocked.Decrement(ref requests);
        Stats.RequestOverflow.Increment();
        return false;
    }

    /// <summary>A request is over.</summary>
    public void LeaveRequest()
    {
        Interlocked.Decrement(ref requests);
        Stats.RequestsActive.Decrement();
    }

    /// <summary>Whether one more connection may be relayed there (<c>max_connections</c>); each true needs one <see cref="LeaveConnection"/>.</summary>
    public bool TryEnterConnection()
    {
        if (Interlocked.Increment(ref connections) <= Config.CircuitBreakers.MaxConnections)
        {
            return true;
        }
        Interlocked.Decrement(ref connections);
        Stats.ConnectionOverflow.Increment();
        return false;
    }

    /// <summary>A relayed connection is over.</summary>
    public void LeaveConnection() => Interlocked.Decrement(ref connections);

    /// <summary>Where the next connection goes; null when the cluster has no endpoint.</summary>
    /// <param name="originalDestination">Used by ORIGINAL_DST.</param>
    public EndPoint? Pick(IPEndPoint originalDestination) => Config.Type == ClusterType.OriginalDst ? originalDestination : endpoints.Pick();

    /// <summary>Whether a kept connection to that address may take another request.</summary>
    public bool StillUses(EndPoint endpoint) => Config.Type == ClusterType.OriginalDst || endpoints.Contains(endpoint);

    /// <summary>Why <see cref="Pick"/> gave nothing, for records.</summary>
    public string NoEndpointDetail => Config.Eds is { } eds
        ? $"cluster {Name} has no usable endpoint: EDS {eds.ServiceName} from {eds.Source} named none, or has not answered"
        : $"cluster {Name} has no endpoints in its load_assignment";
}
