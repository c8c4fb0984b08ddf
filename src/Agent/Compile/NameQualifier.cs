using System;
using System.Collections.Generic;
using Postern.Agent.Model;

namespace Postern.Agent.Compile;

/// <summary>
/// Names of a CiliumEnvoyConfig's resources as they are served: <c>namespace/config/name</c>, so that two configurations cannot touch each
/// other's. Clusters, endpoints and secrets that have a slash already mean something outside and stay.
/// </summary>
internal sealed class NameQualifier(ObjectKey owner)
{
    private enum NameKind
    {
        /// <summary>Stays when it has a slash.</summary>
        Shared,

        /// <summary>Stays only when it begins with the owner's namespace.</summary>
        Owned,
    }

    /// <summary>Fields that hold a name, by full name; also of messages that are not built in yet.</summary>
    private static readonly Dictionary<string, NameKind> Fields = new(StringComparer.Ordinal)
    {
        ["envoy.config.listener.v3.Listener.name"] = NameKind.Owned,
        ["envoy.config.route.v3.RouteConfiguration.name"] = NameKind.Owned,
        ["envoy.config.route.v3.VirtualHost.name"] = NameKind.Owned,
        ["envoy.extensions.filters.network.http_connection_manager.v3.Rds.route_config_name"] = NameKind.Owned,
        ["envoy.config.cluster.v3.Cluster.name"] = NameKind.Shared,
        ["envoy.config.cluster.v3.Cluster.EdsClusterConfig.service_name"] = NameKind.Shared,
        ["envoy.config.endpoint.v3.ClusterLoadAssignment.cluster_name"] = NameKind.Shared,
        ["envoy.config.route.v3.RouteAction.cluster"] = NameKind.Shared,
        ["envoy.config.route.v3.WeightedCluster.ClusterWeight.name"] = NameKind.Shared,
        ["envoy.config.route.v3.RouteAction.RequestMirrorPolicy.cluster"] = NameKind.Shared,
        ["envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.cluster"] = NameKind.Shared,
        ["envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight.name"] = NameKind.Shared,
        ["envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig.name"] = NameKind.Shared,
        ["envoy.extensions.transport_sockets.tls.v3.Secret.name"] = NameKind.Shared,
        ["envoy.config.core.v3.EnvoyInternalAddress.server_listener_name"] = NameKind.Owned,
        ["envoy.extensions.filters.http.health_check.v3.HealthCheck.cluster_min_healthy_percentages"] = NameKind.Shared,
    };

    /// <summary>The name that the field's value is served as; null when the field holds no name.</summary>
    public string? Qualify(string fieldFullName, string name) =>
        name.Length > 0 && Fields.TryGetValue(fieldFullName, out var kind) ? kind == NameKind.Owned ? Owned(name) : Shared(name) : null;

    /// <summary>Of a listener, a route configuration or a virtual host.</summary>
    public string Owned(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash >= 0 && name.AsSpan(0, slash).SequenceEqual(owner.Namespace) ? name : $"{owner.QualifiedName}/{name}";
    }

    private string Shared(string name) => name.Contains('/', StringComparison.Ordinal) ? name : $"{owner.QualifiedName}/{name}";
}
