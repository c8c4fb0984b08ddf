using System.Collections.Generic;
using Cilium;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Listener.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.service.discovery.v3.DiscoveryResponse</c>: unwraps, converts and sorts its resources.</summary>
internal static class DiscoveryResponses
{
    /// <summary>All or nothing.</summary>
    public static ResourceFile ToConfig(DiscoveryResponse response, ResourceKinds allowed)
    {
        var listeners = new List<(ListenerConfig Config, ConfigPath Path)>();
        var clusters = new List<(ClusterConfig Config, ConfigPath Path)>();
        var policies = new List<NetworkPolicyConfig>();
        var hosts = new List<NetworkPolicyHostsConfig>();
        for (var i = 0; i < response.Resources.Count; i++)
        {
            var path = ConfigPath.Empty.Field("resources").Item(i);
            var message = TypedConfig.Unpack(response.Resources[i], path);
            var name = "";
            if (message is Resource wrapper)
            {
                name = wrapper.Name;
                path = path.Field("resource");
                message = TypedConfig.Unpack(wrapper.Resource_, path);
            }
            CheckType(message, response.TypeUrl, allowed, path);
            switch (message)
            {
                case Listener listener:
                    listeners.Add((Listeners.ToConfig(listener, path), path));
                    break;
                case Cluster cluster:
                    clusters.Add((Clusters.ToConfig(cluster, path), path));
                    break;
                case NetworkPolicy policy:
                    policies.Add(PolicyResources.ToConfig(policy, name, path));
                    break;
                case NetworkPolicyHosts addresses:
                    hosts.Add(PolicyResources.ToConfig(addresses));
                    break;
            }
        }
        var listenerConfigs = listeners.ConvertAll(static l => l.Config);
        var clusterConfigs = clusters.ConvertAll(static c => c.Config);
        ListenerSetRules.Check(listenerConfigs, i => listeners[i].Path);
        ClusterSetRules.Check(clusterConfigs, i => clusters[i].Path);
        return new ResourceFile(
            response.VersionInfo,
            listenerConfigs.ToEquatableList(),
            clusterConfigs.ToEquatableList(),
            policies.ToEquatableList(),
            hosts.ToEquatableList());
    }

    private static void CheckType(IMessage message, string typeUrl, ResourceKinds allowed, ConfigPath path)
    {
        var kind = message switch
        {
            Listener => ResourceKinds.Listener,
            Cluster => ResourceKinds.Cluster,
            NetworkPolicy => ResourceKinds.NetworkPolicy,
            NetworkPolicyHosts => ResourceKinds.NetworkPolicyHosts,
            _ => ResourceKinds.None,
        };
        if (kind == ResourceKinds.None || (allowed & kind) == 0)
        {
            throw TypedConfig.Misplaced(message, $"a resource of this source, which holds {allowed}", path);
        }
        if (typeUrl.Length > 0 && typeUrl[(typeUrl.LastIndexOf('/') + 1)..] != message.Descriptor.FullName)
        {
            throw path.Field("@type").Error($"{message.Descriptor.FullName} contradicts the type_url {Printable.Quote(typeUrl)}; remove type_url when types are mixed");
        }
    }
}
