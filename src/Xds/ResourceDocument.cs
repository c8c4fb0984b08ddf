using System;
using System.Collections.Generic;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Discovery;
using Postern.Xds.Resources;
using Postern.Xds.Text;

namespace Postern.Xds;

/// <summary>
/// The resources of one type in a <c>DiscoveryResponse</c> file, validated, each on its own: what a gRPC stream would deliver in one response.
/// </summary>
/// <param name="VersionInfo"><c>version_info</c>, as written.</param>
/// <param name="Resources">In order; names are unique.</param>
public sealed record ResourceDocument(string VersionInfo, IReadOnlyList<DiscoveredResource> Resources)
{
    /// <summary>Reads and validates a file in YAML or JSON. Policies and host maps may share one; other mixtures are an error.</summary>
    /// <param name="path">The file.</param>
    /// <param name="type">Which of its resources.</param>
    /// <param name="limits">Null takes the defaults.</param>
    /// <exception cref="XdsConfigException">Cannot be read, or is wrong: the message names file, line, column, field and mend.</exception>
    public static ResourceDocument Load(string path, ResourceType type, ConfigTextLimits? limits = null)
    {
        limits ??= ConfigTextLimits.Default;
        return ConfigDocument.Parse(ConfigDocument.ReadBytes(path, limits), path, limits)
            .Read<DiscoveryResponse, ResourceDocument>(response => Convert(response, type));
    }

    private static ResourceDocument Convert(DiscoveryResponse response, ResourceType type)
    {
        var result = new List<DiscoveredResource>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < response.Resources.Count; i++)
        {
            var path = ConfigPath.Empty.Field("resources").Item(i);
            var any = response.Resources[i];
            var (wrapperName, version) = ("", response.VersionInfo);
            var message = TypedConfig.Unpack(any, path);
            if (message is Resource wrapper)
            {
                path = path.Field("resource");
                any = wrapper.Resource_ ?? throw path.Error("is missing; the wrapper holds nothing");
                message = TypedConfig.Unpack(any, path);
                (wrapperName, version) = (wrapper.Name, wrapper.Version.Length > 0 ? wrapper.Version : version);
            }
            if (!SameFile(type, message.Descriptor.FullName))
            {
                throw TypedConfig.Misplaced(message, $"a resource of this source, which holds {type}", path);
            }
            if (!IsOf(type, message.Descriptor.FullName))
            {
                continue;
            }
            var (name, config) = ResourceMessages.ToConfig(message, wrapperName, path);
            result.Add(names.Add(name)
                ? new DiscoveredResource(name, version, config, new Any { TypeUrl = type.TypeUrl, Value = any.Value })
                : throw path.Error($"a second resource named {Printable.Quote(name)}"));
        }
        return new ResourceDocument(response.VersionInfo, result);
    }

    private static bool IsOf(ResourceType type, string fullName) => type.TypeUrl.EndsWith("/" + fullName, StringComparison.Ordinal);

    private static bool SameFile(ResourceType type, string fullName) =>
        IsOf(type, fullName)
        || (type == ResourceType.NetworkPolicy && IsOf(ResourceType.NetworkPolicyHosts, fullName))
        || (type == ResourceType.NetworkPolicyHosts && IsOf(ResourceType.NetworkPolicy, fullName));
}
