using System;
using System.Globalization;
using Cilium;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Discovery;
using Postern.Xds.Fields;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>Resources from a control plane's bytes, each judged on its own. Paths of errors are relative to the resource. Thread-safe.</summary>
public sealed class ResourceDecoder(DecodeOptions options) : IResourceDecoder
{
    /// <inheritdoc/>
    public DecodedResource Decode(ResourceType type, Any resource, string wrapperName)
    {
        var path = ConfigPath.Empty;
        if (resource.TypeUrl[(resource.TypeUrl.LastIndexOf('/') + 1)..] != type.TypeUrl[(type.TypeUrl.LastIndexOf('/') + 1)..])
        {
            throw path.Field("@type").Error($"expected {type.TypeUrl}, found {Printable.Quote(resource.TypeUrl)}");
        }
        if (resource.Value.Length > options.MaxResourceBytes)
        {
            throw path.Error($"{resource.Value.Length} bytes are more than the bound of {options.MaxResourceBytes}");
        }
        var scan = WireScan.Check(resource.Value, TypedConfig.TypeOf(resource, path), path, options);
        var (name, config) = Convert(TypedConfig.Unpack(resource, path), scan, wrapperName, path);
        return new DecodedResource(name, config, scan.Warnings);
    }

    private static (string Name, object Config) Convert(IMessage message, WireScan scan, string wrapperName, ConfigPath path)
    {
        switch (message)
        {
            case NetworkPolicy policy:
                OldIdentities.Merge(policy, scan.Identities);
                var policyConfig = PolicyResources.ToConfig(policy, wrapperName, path);
                return (policyConfig.Name, policyConfig);
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
