using System;
using System.Globalization;
using Cilium;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>A resource's message to its name and validated record, wherever the message came from.</summary>
internal static class ResourceMessages
{
    /// <summary>Converts a message of one of the discovered types.</summary>
    /// <param name="message">Holds no fields that were passed over in silence.</param>
    /// <param name="wrapperName">Name in the <c>Resource</c> wrapper, or empty: names a policy.</param>
    /// <param name="path">Of the message.</param>
    public static (string Name, object Config) ToConfig(IMessage message, string wrapperName, ConfigPath path)
    {
        switch (message)
        {
            case NetworkPolicy policy:
                var config = PolicyResources.ToConfig(policy, wrapperName, path);
                return (config.Name, config);
            case NetworkPolicyHosts hosts:
                return (hosts.Policy.ToString(CultureInfo.InvariantCulture), PolicyResources.ToConfig(hosts));
            case Listener listener:
                return (listener.Name, Listeners.ToConfig(listener, path));
            case Cluster cluster:
                return (cluster.Name, Clusters.ToConfig(cluster, path));
            case RouteConfiguration routes:
                return (TypedConfig.Required(routes.Name, path.Field("name")), Routes.ToConfig(routes, path));
            case ClusterLoadAssignment assignment:
                return (assignment.ClusterName, Endpoints.ToConfig(assignment, path));
            case Secret secret:
                return (secret.Name, Secrets.ToConfig(secret, path));
            default:
                throw new InvalidOperationException("no resource: " + message.Descriptor.FullName);
        }
    }
}
