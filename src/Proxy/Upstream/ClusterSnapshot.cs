using System;
using System.Linq;
using System.Net;
using System.Threading;
using Postern.Proxy.Stats;
using Postern.Xds.Config;

namespace Postern.Proxy.Upstream;

/// <summary>A cluster as the data path uses it: immutable but for the round-robin position.</summary>
internal sealed class ClusterSnapshot(ClusterConfig config, ClusterStats? stats = null)
{
    private readonly IPEndPoint[] endpoints = [.. config.Endpoints.OfType<IPEndPoint>()];
    private int next = -1;

    public ClusterConfig Config { get; } = config;

    public string Name => Config.Name;

    /// <summary>Whoever made the snapshot releases the scope.</summary>
    public ClusterStats Stats { get; } = stats ?? ClusterStats.Unlisted();

    public TimeSpan ConnectTimeout => Config.ConnectTimeout;

    /// <summary>Where the next connection goes; null when the cluster has no endpoint.</summary>
    /// <param name="originalDestination">Used by ORIGINAL_DST.</param>
    public IPEndPoint? Pick(IPEndPoint originalDestination)
    {
        if (Config.Type == ClusterType.OriginalDst)
        {
            return originalDestination;
        }
        return endpoints.Length switch
        {
            0 => null,
            1 => endpoints[0],
            _ => endpoints[(int)((uint)Interlocked.Increment(ref next) % (uint)endpoints.Length)],
        };
    }
}
