using System.Globalization;
using System.Text.Json;
using Cilium;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Resources;
using Postern.Xds.Text;

namespace Postern.Xds;

/// <summary>
/// <c>cilium.NetworkPolicy</c> and <c>cilium.NetworkPolicyHosts</c> from JSON or from decoded messages. Checks the shape only
/// (unknown fields, oneofs, enum values, matchers without a pattern): what a policy means is judged where it is compiled.
/// </summary>
public static class PolicyResources
{
    /// <summary>Reads the JSON form; a <c>@type</c> member is allowed. The name is the decimal endpoint id.</summary>
    /// <param name="json">An object.</param>
    /// <param name="path">Shown in front of the paths of errors; may be empty.</param>
    /// <exception cref="XdsConfigException">The shape is wrong.</exception>
    public static NetworkPolicyConfig ReadNetworkPolicy(JsonElement json, string path)
    {
        var root = ConfigPath.Root(path);
        return ToConfig(ProtoJson.Read<NetworkPolicy>(JsonElementReader.Read(json, root), root), null, root);
    }

    /// <summary>Reads the JSON form; a <c>@type</c> member is allowed.</summary>
    /// <param name="json">An object.</param>
    /// <param name="path">Shown in front of the paths of errors; may be empty.</param>
    /// <exception cref="XdsConfigException">The shape is wrong.</exception>
    public static NetworkPolicyHostsConfig ReadNetworkPolicyHosts(JsonElement json, string path)
    {
        var root = ConfigPath.Root(path);
        return ToConfig(ProtoJson.Read<NetworkPolicyHosts>(JsonElementReader.Read(json, root), root));
    }

    /// <summary>Reads a <c>cilium.BpfMetadata</c> in its JSON form.</summary>
    /// <param name="json">An object.</param>
    /// <param name="path">Shown in front of the paths of errors; may be empty.</param>
    /// <exception cref="XdsConfigException">The listener that has it would be refused.</exception>
    public static BpfMetadataConfig ReadBpfMetadata(JsonElement json, string path)
    {
        var root = ConfigPath.Root(path);
        return BpfMetadataFilter.ToConfig(ProtoJson.Read<BpfMetadata>(JsonElementReader.Read(json, root), root), root);
    }

    /// <summary>From a decoded message. Fields the parser did not know are not seen any more: <see cref="ResourceDecoder"/> looks at the bytes.</summary>
    /// <param name="policy">The message.</param>
    /// <param name="resourceName">Name of the <c>Resource</c> wrapper; null or empty takes the decimal endpoint id.</param>
    /// <param name="path">Shown in front of the paths of errors; may be empty.</param>
    /// <exception cref="XdsConfigException">The shape is wrong.</exception>
    public static NetworkPolicyConfig FromProto(NetworkPolicy policy, string? resourceName = null, string path = "") =>
        ToConfig(policy, resourceName, ConfigPath.Root(path));

    /// <summary>From a decoded message.</summary>
    public static NetworkPolicyHostsConfig FromProto(NetworkPolicyHosts hosts) => ToConfig(hosts);

    internal static NetworkPolicyConfig ToConfig(NetworkPolicy policy, string? resourceName, ConfigPath path) => new(
        string.IsNullOrEmpty(resourceName) ? policy.EndpointId.ToString(CultureInfo.InvariantCulture) : resourceName,
        policy.EndpointId,
        policy.EndpointIps.ToEquatableList(),
        PolicyRules.ToConfig(policy.IngressPerPortPolicies, path.Field("ingress_per_port_policies")),
        PolicyRules.ToConfig(policy.EgressPerPortPolicies, path.Field("egress_per_port_policies")));

    internal static NetworkPolicyHostsConfig ToConfig(NetworkPolicyHosts hosts) => new(hosts.Policy, hosts.HostAddresses.ToEquatableList());
}
