using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary>The part of <c>envoy.config.bootstrap.v3.Bootstrap</c> that Postern reads, validated.</summary>
/// <param name="NodeId"><c>node.id</c>.</param>
/// <param name="NodeCluster"><c>node.cluster</c>.</param>
/// <param name="StaticListeners"><c>static_resources.listeners</c>.</param>
/// <param name="StaticClusters"><c>static_resources.clusters</c>.</param>
/// <param name="LdsPath">Path of <c>dynamic_resources.lds_config.path_config_source</c>, or null.</param>
/// <param name="CdsPath">Path of <c>dynamic_resources.cds_config.path_config_source</c>, or null.</param>
public sealed record BootstrapConfig(
    string NodeId,
    string NodeCluster,
    EquatableList<ListenerConfig> StaticListeners,
    EquatableList<ClusterConfig> StaticClusters,
    string? LdsPath,
    string? CdsPath);
