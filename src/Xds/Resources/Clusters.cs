using System;
using System.Collections.Generic;
using System.Net;
using Envoy.Config.Cluster.V3;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;
using LbPolicy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.cluster.v3.Cluster</c>, types STATIC, EDS and ORIGINAL_DST.</summary>
internal static class Clusters
{
    private static readonly TimeSpan DefaultConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Validates one cluster.</summary>
    public static ClusterConfig ToConfig(Cluster cluster, ConfigPath path)
    {
        var name = TypedConfig.Required(cluster.Name, path.Field("name"));
        var timeout = Durations.ToTimeSpan(cluster.ConnectTimeout, DefaultConnectTimeout, path.Field("connect_timeout"));
        if (timeout == TimeSpan.Zero)
        {
            throw path.Field("connect_timeout").Error("must be longer than 0");
        }
        var (type, endpoints) = Discovery(cluster, path);
        var config = new ClusterConfig(name, type, timeout, endpoints)
        {
            Eds = type == ClusterType.Eds ? Eds(cluster, path.Field("eds_cluster_config")) : null,
            CircuitBreakers = Breakers(cluster.CircuitBreakers, path.Field("circuit_breakers").Field("thresholds")),
        };
        config = UpstreamProtocols.Apply(cluster, config, path);
        return TransportSockets.Apply(config, cluster.TransportSocket, path.Field("transport_socket"));
    }

    // What is not written is no bound: Envoy's 1024 would be met by a node's traffic to one ORIGINAL_DST cluster. Nothing is sent with priority HIGH.
    private static CircuitBreakersConfig Breakers(CircuitBreakers? breakers, ConfigPath path)
    {
        CircuitBreakersConfig? found = null;
        for (var i = 0; i < (breakers?.Thresholds.Count ?? 0); i++)
        {
            var threshold = breakers!.Thresholds[i];
            if (threshold.Priority == Envoy.Config.Core.V3.RoutingPriority.Default)
            {
                found = found is null
                    ? new CircuitBreakersConfig(threshold.MaxConnections ?? uint.MaxValue, threshold.MaxRequests ?? uint.MaxValue)
                    : throw path.Item(i).Error("a second threshold of priority DEFAULT; keep one");
            }
        }
        return found ?? CircuitBreakersConfig.Unlimited;
    }

    private static (ClusterType Type, EquatableList<EndPoint> Endpoints) Discovery(Cluster cluster, ConfigPath path)
    {
        if (cluster.Type != Cluster.Types.DiscoveryType.Eds && cluster.EdsClusterConfig is not null)
        {
            throw path.Field("eds_cluster_config").Error($"a cluster of type {cluster.Type} takes no endpoints from EDS; write type: EDS or remove it");
        }
        if (cluster.Type != Cluster.Types.DiscoveryType.Static && cluster.LoadAssignment is not null)
        {
            throw path.Field("load_assignment").Error(cluster.Type == Cluster.Types.DiscoveryType.Eds
                ? "an EDS cluster gets its endpoints by discovery; remove it"
                : "an ORIGINAL_DST cluster has no endpoints of its own; remove it");
        }
        switch (cluster.Type)
        {
            case Cluster.Types.DiscoveryType.Static:
                CheckBalancing(cluster, "STATIC", path);
                return (ClusterType.Static, StaticEndpoints(cluster, path.Field("load_assignment")));
            case Cluster.Types.DiscoveryType.Eds:
                CheckBalancing(cluster, "EDS", path);
                return (ClusterType.Eds, []);
            case Cluster.Types.DiscoveryType.OriginalDst:
                return cluster.LbPolicy == LbPolicy.ClusterProvided
                    ? (ClusterType.OriginalDst, [])
                    : throw path.Field("lb_policy").Error("an ORIGINAL_DST cluster chooses its host itself; write lb_policy: CLUSTER_PROVIDED");
            default:
                throw path.Field("type").Error($"{cluster.Type} is not built in yet; use STATIC, EDS or ORIGINAL_DST");
        }
    }

    // Round robin stands in for the policies that only spread load. The hashing ones promise a client the same host: not built in.
    private static void CheckBalancing(Cluster cluster, string type, ConfigPath path)
    {
        if (cluster.LbPolicy is not (LbPolicy.RoundRobin or LbPolicy.LeastRequest or LbPolicy.Random))
        {
            throw path.Field("lb_policy").Error($"{cluster.LbPolicy} is not built in for {type} clusters; use ROUND_ROBIN");
        }
    }

    private static EdsConfig Eds(Cluster cluster, ConfigPath path)
    {
        var eds = cluster.EdsClusterConfig ?? throw path.Error("is missing; an EDS cluster needs its eds_config");
        return new EdsConfig(
            eds.ServiceName.Length > 0 ? eds.ServiceName : cluster.Name, ConfigSources.Required(eds.EdsConfig, path.Field("eds_config")));
    }

    private static EquatableList<EndPoint> StaticEndpoints(Cluster cluster, ConfigPath path)
    {
        var assignment = cluster.LoadAssignment ?? throw path.Error("is missing; a STATIC cluster needs its endpoints");
        var result = new List<EndPoint>();
        foreach (var endpoint in Endpoints.ToConfig(assignment, path).Endpoints)
        {
            if (endpoint.Priority != 0)
            {
                throw path.Field("endpoints").Error("priorities are built in for EDS clusters only; leave priority out");
            }
            if (endpoint.Usable)
            {
                result.Add(endpoint.Address);
            }
        }
        return result.Count > 0 ? result.ToEquatableList() : throw path.Error("has no endpoint; every request would fail");
    }
}
