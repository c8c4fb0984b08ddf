using System;
using System.Collections.Generic;
using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary>A validated <c>envoy.config.core.v3.ConfigSource</c>: where resources come from. Compares by meaning.</summary>
public abstract record ConfigSourceConfig;

/// <summary><c>path_config_source</c>: a file that is followed.</summary>
public sealed record FileSourceConfig(string Path) : ConfigSourceConfig
{
    /// <inheritdoc/>
    public override string ToString() => "file " + Path;
}

/// <summary><c>api_config_source</c>, gRPC: a stream of its own for each subscription.</summary>
/// <param name="Cluster">Static cluster of the control plane (<c>envoy_grpc.cluster_name</c>).</param>
/// <param name="Variant">State of the world (GRPC) or incremental (DELTA_GRPC).</param>
/// <param name="InitialFetchTimeout">Default 15 s; null when 0: wait for ever.</param>
public sealed record GrpcSourceConfig(string Cluster, DiscoveryVariant Variant, TimeSpan? InitialFetchTimeout) : ConfigSourceConfig
{
    /// <summary><c>set_node_on_first_message_only</c>.</summary>
    public bool NodeOnFirstMessageOnly { get; init; } = true;

    /// <summary><c>envoy_grpc.authority</c>, or empty.</summary>
    public string Authority { get; init; } = "";

    /// <summary><c>envoy_grpc.max_receive_message_length</c>, bytes; null takes the client's own bound.</summary>
    public int? MaxReceiveMessageLength { get; init; }

    /// <summary><c>initial_metadata</c>: sent with every call, in order. May hold credentials: never print it.</summary>
    public EquatableList<KeyValuePair<string, string>> InitialMetadata { get; init; } = [];

    /// <inheritdoc/>
    public override string ToString() => (Variant == DiscoveryVariant.Delta ? "delta grpc " : "grpc ") + Cluster;
}

/// <summary><c>ads</c>: the aggregated stream that <c>dynamic_resources.ads_config</c> names.</summary>
/// <param name="InitialFetchTimeout">Default 15 s; null when 0: wait for ever.</param>
public sealed record AdsSourceConfig(TimeSpan? InitialFetchTimeout) : ConfigSourceConfig
{
    /// <inheritdoc/>
    public override string ToString() => "ads";
}

/// <summary>The two forms of the protocol.</summary>
public enum DiscoveryVariant
{
    /// <summary>State of the world: <c>DiscoveryRequest</c> and <c>DiscoveryResponse</c>.</summary>
    StateOfTheWorld,

    /// <summary>Incremental: <c>DeltaDiscoveryRequest</c> and <c>DeltaDiscoveryResponse</c>.</summary>
    Delta,
}
