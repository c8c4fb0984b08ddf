using System;
using System.Collections.Generic;
using System.Net;
using Envoy.Config.Cluster.V3;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.cluster.v3.Cluster</c>, types STATIC and ORIGINAL_DST.</summary>
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
        switch (cluster.Type)
        {
            case Cluster.Types.DiscoveryType.Static:
                if (cluster.LbPolicy != Cluster.Types.LbPolicy.RoundRobin)
                {
                    throw path.Field("lb_policy").Error($"{cluster.LbPolicy} is not built in for STATIC clusters; use ROUND_ROBIN");
                }
                return new ClusterConfig(name, ClusterType.Static, timeout, Endpoints(cluster, path));
            case Cluster.Types.DiscoveryType.OriginalDst:
                if (cluster.LbPolicy != Cluster.Types.LbPolicy.ClusterProvided)
                {
                    throw path.Field("lb_policy").Error("an ORIGINAL_DST cluster chooses its host itself; write lb_policy: CLUSTER_PROVIDED");
                }
                if (cluster.LoadAssignment is not null)
                {
                    throw path.Field("load_assignment").Error("an ORIGINAL_DST cluster has no endpoints of its own; remove it");
                }
                return new ClusterConfig(name, ClusterType.OriginalDst, timeout, []);
            default:
                throw path.Field("type").Error($"{cluster.Type} is not built in yet; use STATIC or ORIGINAL_DST");
        }
    }

    private static EquatableList<EndPoint> Endpoints(Cluster cluster, ConfigPath path)
    {
        path = path.Field("load_assignment");
        var assignment = cluster.LoadAssignment ?? throw path.Error("is missing; a STATIC cluster needs its endpoints");
        TypedConfig.Required(assignment.ClusterName, path.Field("cluster_name"));
        var result = new List<EndPoint>();
        for (var i = 0; i < assignment.Endpoints.Count; i++)
        {
            var endpoints = assignment.Endpoints[i].LbEndpoints;
            for (var j = 0; j < endpoints.Count; j++)
            {
                var at = path.Field("endpoints").Item(i).Field("lb_endpoints").Item(j).Field("endpoint").Field("address");
                var endpoint = Addresses.ToEndPoint(endpoints[j].Endpoint?.Address, at);
                if (endpoint.Port == 0)
                {
                    throw at.Field("socket_address").Field("port_value").Error("an endpoint needs a port other than 0");
                }
                result.Add(endpoint);
            }
        }
        return result.Count > 0 ? result.ToEquatableList() : throw path.Error("has no endpoint; every request would fail");
    }
}
