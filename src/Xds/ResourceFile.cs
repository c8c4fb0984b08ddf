using System;
using Envoy.Service.Discovery.V3;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Resources;
using Postern.Xds.Text;

namespace Postern.Xds;

/// <summary>
/// The resources of one <c>envoy.service.discovery.v3.DiscoveryResponse</c>, validated, sorted by type. Compares by meaning:
/// comments, order of fields and white space make no difference.
/// </summary>
/// <param name="VersionInfo"><c>version_info</c>, as written.</param>
/// <param name="Listeners">In order; names and addresses are unique.</param>
/// <param name="Clusters">In order; names are unique.</param>
/// <param name="NetworkPolicies">In order; what they mean together is judged where policy is compiled.</param>
/// <param name="NetworkPolicyHosts">In order; likewise.</param>
public sealed record ResourceFile(
    string VersionInfo,
    EquatableList<ListenerConfig> Listeners,
    EquatableList<ClusterConfig> Clusters,
    EquatableList<NetworkPolicyConfig> NetworkPolicies,
    EquatableList<NetworkPolicyHostsConfig> NetworkPolicyHosts)
{
    /// <summary>Reads and validates a file in YAML or JSON.</summary>
    /// <param name="path">The file.</param>
    /// <param name="allowed">Resources of other types are an error.</param>
    /// <param name="limits">Null takes the defaults.</param>
    /// <exception cref="XdsConfigException">Cannot be read, or is wrong: the message names file, line, column, field and mend.</exception>
    public static ResourceFile Load(string path, ResourceKinds allowed, ConfigTextLimits? limits = null)
    {
        limits ??= ConfigTextLimits.Default;
        return Parse(ConfigDocument.ReadBytes(path, limits), path, allowed, limits);
    }

    /// <summary>Reads and validates a text.</summary>
    /// <param name="bytes">UTF-8.</param>
    /// <param name="fileName">For errors; its suffix tells JSON from YAML.</param>
    /// <param name="allowed">Resources of other types are an error.</param>
    /// <param name="limits">Null takes the defaults.</param>
    /// <exception cref="XdsConfigException">Is wrong.</exception>
    public static ResourceFile Parse(ReadOnlySpan<byte> bytes, string fileName, ResourceKinds allowed, ConfigTextLimits? limits = null) =>
        ConfigDocument.Parse(bytes, fileName, limits ?? ConfigTextLimits.Default)
            .Read<DiscoveryResponse, ResourceFile>(response => DiscoveryResponses.ToConfig(response, allowed));
}
