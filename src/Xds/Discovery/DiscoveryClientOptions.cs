using System;
using Envoy.Config.Core.V3;
using Postern.Xds.Config;

namespace Postern.Xds.Discovery;

/// <summary>What a <see cref="DiscoveryClient"/> works with.</summary>
public sealed record DiscoveryClientOptions
{
    /// <summary>Who we are; sent with the first request of a stream.</summary>
    public required Node Node { get; init; }

    /// <summary>Turns bytes into records.</summary>
    public required IResourceDecoder Decoder { get; init; }

    /// <summary>
    /// Gives the transport to a source's cluster; asked anew for every attempt, so it should return the same channel again. What it throws counts
    /// as a failed attempt.
    /// </summary>
    public required Func<GrpcSourceConfig, IDiscoveryTransport> Transport { get; init; }

    /// <summary><c>dynamic_resources.ads_config</c>, or null: then <see cref="AdsSourceConfig"/> cannot be subscribed to.</summary>
    public GrpcSourceConfig? AdsSource { get; init; }

    /// <summary>Takes one line for each thing an operator should know: NACKs, outages, bad files.</summary>
    public Action<string> Log { get; init; } = static _ => { };

    /// <summary>Takes one line for each thing that is usual.</summary>
    public Action<string> LogDebug { get; init; } = static _ => { };

    /// <summary>Clock and timers.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Between 0 and 1: the share of the back-off ceiling that is waited.</summary>
    public Func<double> Jitter { get; init; } = Random.Shared.NextDouble;

    /// <summary>How files are followed; null takes the defaults.</summary>
    public FileWatchOptions? FileWatch { get; init; }
}
