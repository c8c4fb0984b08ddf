using System.Collections.Generic;
using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.endpoint.v3.ClusterLoadAssignment</c>.</summary>
internal static class Endpoints
{
    private const uint MaxPriority = 128;

    /// <summary>Validates an assignment. Of an address that stands twice the first is kept, as Envoy does.</summary>
    public static EndpointsConfig ToConfig(ClusterLoadAssignment assignment, ConfigPath path)
    {
        var name = TypedConfig.Required(assignment.ClusterName, path.Field("cluster_name"));
        var seen = new HashSet<EndPoint>();
        var result = new List<LbEndpointConfig>();
        for (var i = 0; i < assignment.Endpoints.Count; i++)
        {
            var locality = assignment.Endpoints[i];
            var at = path.Field("endpoints").Item(i);
            if (locality.Priority > MaxPriority)
            {
                throw at.Field("priority").Error($"{locality.Priority} is not within 0 to {MaxPriority}");
            }
            Weight(locality.LoadBalancingWeight, at);
            for (var j = 0; j < locality.LbEndpoints.Count; j++)
            {
                var endpoint = Endpoint(locality.LbEndpoints[j], locality.Priority, at.Field("lb_endpoints").Item(j));
                if (seen.Add(endpoint.Address))
                {
                    result.Add(endpoint);
                }
            }
        }
        return new EndpointsConfig(name, result.ToEquatableList());
    }

    private static LbEndpointConfig Endpoint(LbEndpoint endpoint, uint priority, ConfigPath path)
    {
        var at = path.Field("endpoint").Field("address");
        var address = Addresses.ToSocketOrPipe(endpoint.Endpoint?.Address, at);
        if (address is IPEndPoint { Port: 0 })
        {
            throw at.Field("socket_address").Field("port_value").Error("an endpoint needs a port other than 0");
        }
        return new LbEndpointConfig(address, priority, Weight(endpoint.LoadBalancingWeight, path), Usable(endpoint.HealthStatus, path.Field("health_status")));
    }

    private static uint Weight(uint? weight, ConfigPath path) =>
        weight is 0 ? throw path.Field("load_balancing_weight").Error("must be at least 1; leave the endpoint out to send it nothing") : weight ?? 1;

    private static bool Usable(HealthStatus status, ConfigPath path) => status switch
    {
        HealthStatus.Unknown or HealthStatus.Healthy or HealthStatus.Degraded => true,
        HealthStatus.Unhealthy or HealthStatus.Draining or HealthStatus.Timeout => false,
        _ => throw path.Error($"value {(int)status} is not known"),
    };
}
