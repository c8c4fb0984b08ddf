using System.Net;
using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary>The part of <c>envoy.config.bootstrap.v3.Bootstrap</c> that Postern reads, validated.</summary>
public sealed record BootstrapConfig
{
    /// <summary><c>node</c>, as sent to control planes. Do not change it.</summary>
    public required Envoy.Config.Core.V3.Node Node { get; init; }

    /// <summary><c>static_resources.listeners</c>.</summary>
    public required EquatableList<ListenerConfig> StaticListeners { get; init; }

    /// <summary><c>static_resources.clusters</c>.</summary>
    public required EquatableList<ClusterConfig> StaticClusters { get; init; }

    /// <summary><c>static_resources.secrets</c>.</summary>
    public EquatableList<SecretConfig> StaticSecrets { get; init; } = [];

    /// <summary><c>dynamic_resources.lds_config</c>, or null.</summary>
    public ConfigSourceConfig? LdsSource { get; init; }

    /// <summary><c>dynamic_resources.cds_config</c>, or null.</summary>
    public ConfigSourceConfig? CdsSource { get; init; }

    /// <summary><c>dynamic_resources.ads_config</c>, or null.</summary>
    public GrpcSourceConfig? AdsSource { get; init; }

    /// <summary><c>admin.address</c>: IP and port or a Unix socket; null without one.</summary>
    public EndPoint? AdminAddress { get; init; }

    /// <summary>
    /// <c>max_active_downstream_connections</c> of the overload manager's monitor <c>global_downstream_max_connections</c>; null without one.
    /// </summary>
    public long? MaxDownstreamConnections { get; init; }

    /// <summary><c>overload_manager</c>; null without one.</summary>
    public OverloadConfig? Overload { get; init; }
}
