using System;
using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary><c>Route</c>: a match and an action.</summary>
/// <param name="Name">May be empty.</param>
/// <param name="PathKind">prefix, path or safe_regex.</param>
/// <param name="Path">Its text.</param>
/// <param name="Headers">All must match.</param>
/// <param name="GrpcOnly">Match only <c>application/grpc</c> requests.</param>
/// <param name="Cluster">Where to.</param>
/// <param name="Timeout">Whole response; Envoy's default 15 s, null when 0.</param>
/// <param name="IdleTimeout">Overrides the stream idle timeout when set; zero disables.</param>
public sealed record RouteEntryConfig(
    string Name,
    StringMatchKind PathKind,
    string Path,
    EquatableList<HeaderMatcherConfig> Headers,
    bool GrpcOnly,
    string Cluster,
    TimeSpan? Timeout,
    TimeSpan? IdleTimeout)
{
    /// <summary><c>prefix_rewrite</c>: stands in for what the route matched of the path; null leaves the path alone.</summary>
    public string? PrefixRewrite { get; init; }

    /// <summary><c>connect_matcher</c>: matches CONNECT, and nothing else does; <see cref="Path"/> is empty then.</summary>
    public bool Connect { get; init; }

    /// <summary><c>upgrade_configs</c>: what it names overrides the connection manager.</summary>
    public EquatableList<UpgradeConfig> Upgrades { get; init; } = [];

    /// <summary><c>max_stream_duration.max_stream_duration</c>: overrides the connection manager's when set; zero for no bound.</summary>
    public TimeSpan? MaxStreamDuration { get; init; }

    /// <summary>
    /// <c>max_stream_duration.grpc_timeout_header_max</c>: of a gRPC request with <c>grpc-timeout</c> its value, no more than this, stands in for
    /// <see cref="MaxStreamDuration"/>; zero takes the header as it is; null does not read the header.
    /// </summary>
    public TimeSpan? GrpcTimeoutHeaderMax { get; init; }

    /// <summary><c>max_stream_duration.grpc_timeout_header_offset</c>: taken off the header's value.</summary>
    public TimeSpan GrpcTimeoutHeaderOffset { get; init; }
}
