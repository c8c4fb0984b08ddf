using System;
using System.Collections.Generic;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Policy;
using Postern.Xds.Discovery.Protocol;
using Postern.Xds.Text;

namespace Postern.Xds.Discovery.Files;

/// <summary>
/// A <c>DiscoveryResponse</c> from a file: the resources of one type, decoded as those of a stream are. Errors keep their paths, which the
/// document turns into lines.
/// </summary>
internal static class FileResources
{
    private const string WrapperName = "envoy.service.discovery.v3.Resource";

    /// <param name="response">As written.</param>
    /// <param name="type">Resources of other types that may stand in the same file are left out.</param>
    /// <param name="names">Empty: all.</param>
    /// <param name="decoder">Of single resources.</param>
    /// <param name="held">Equal bytes are not decoded again.</param>
    /// <exception cref="XdsConfigException">Refused; has a path within the document.</exception>
    public static (DecodedResponse Response, Dictionary<string, ConfigPath> Paths) Read(
        DiscoveryResponse response, ResourceType type, IReadOnlyList<string> names, IResourceDecoder decoder, HeldResources held)
    {
        var entries = new List<DecodedEntry>();
        var warnings = new List<string>();
        var paths = new Dictionary<string, ConfigPath>(StringComparer.Ordinal);
        for (var i = 0; i < response.Resources.Count; i++)
        {
            var path = ConfigPath.Empty.Field("resources").Item(i);
            var any = response.Resources[i];
            var wrapperName = "";
            if (NameOf(any) == WrapperName)
            {
                var wrapper = Resource.Parser.ParseFrom(any.Value);
                path = path.Field("resource");
                wrapperName = wrapper.Name;
                any = wrapper.Resource_ ?? throw path.Error("is missing; a resource in a file needs one");
            }
            if (!IsOfType(any, type, response.TypeUrl, path))
            {
                continue;
            }
            var item = Decode(any, wrapperName, response.VersionInfo, type, decoder, held, path, warnings);
            var name = item.Resource.Name;
            if (!paths.TryAdd(name, path))
            {
                throw path.Error($"a second {type} resource named {Printable.Quote(name)}");
            }
            if (names.Count == 0 || Contains(names, name))
            {
                entries.Add(new DecodedEntry(item, null, false));
            }
        }
        return (new DecodedResponse(response.VersionInfo, type.IsFullSet, entries, [], [], warnings), paths);
    }

    /// <summary>A problem that a sink found, as an error of the document.</summary>
    public static XdsConfigException Error(ResourceProblem problem, Dictionary<string, ConfigPath> paths)
    {
        if (!paths.TryGetValue(problem.Resource, out var path))
        {
            return ConfigPath.Empty.Error(ErrorDetail.Field(problem) is { Length: > 0 } field ? field + ": " + problem.Reason : problem.Reason);
        }
        foreach (var step in problem.Path.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            path = Follow(path, step);
        }
        return path.Error(problem.Reason);
    }

    private static HeldResource Decode(
        Any any, string wrapperName, string version, ResourceType type, IResourceDecoder decoder, HeldResources held, ConfigPath path, List<string> warnings)
    {
        var source = new SourceKey(wrapperName, any.Value);
        if (held.Find(source) is { } same)
        {
            return same;
        }
        try
        {
            var decoded = decoder.Decode(type, any, wrapperName);
            warnings.AddRange(decoded.Warnings);
            return new HeldResource(new DiscoveredResource(decoded.Name, version, decoded.Config, any), source);
        }
        catch (XdsConfigException e)
        {
            if (e.ConfigPath is null)
            {
                throw Error(new ResourceProblem("", e.Path, e.Reason), new Dictionary<string, ConfigPath> { [""] = path });
            }
            foreach (var (name, index) in e.ConfigPath.Segments())
            {
                path = index >= 0 ? path.Item(index) : path.Field(name);
            }
            throw path.Error(e.Reason);
        }
    }

    // False: of a type that has its own subscription to the file.
    private static bool IsOfType(Any any, ResourceType type, string typeUrl, ConfigPath path)
    {
        var name = NameOf(any);
        if (typeUrl.Length > 0 && typeUrl[(typeUrl.LastIndexOf('/') + 1)..] != name)
        {
            throw path.Field("@type").Error($"{Printable.Clip(name)} contradicts the type_url {Printable.Quote(typeUrl)}; remove type_url when types are mixed");
        }
        if (name == Short(type))
        {
            return true;
        }
        return IsPolicy(type) && (name == Short(ResourceType.NetworkPolicy) || name == Short(ResourceType.NetworkPolicyHosts) || name == Short(ResourceType.Secret))
            ? false
            : throw path.Field("@type").Error($"{Printable.Clip(name)} is not a resource of this source, which holds {(IsPolicy(type) ? "Policy" : Short(type))}");
    }

    // One cilium_config_source serves policies, hosts and their secrets.
    private static bool IsPolicy(ResourceType type) => type == ResourceType.NetworkPolicy || type == ResourceType.NetworkPolicyHosts || type == ResourceType.Secret;

    private static ConfigPath Follow(ConfigPath path, string step)
    {
        var bracket = step.IndexOf('[');
        path = bracket == 0 ? path : path.Field(bracket < 0 ? step : step[..bracket]);
        while (bracket >= 0)
        {
            var end = step.IndexOf(']', bracket);
            if (end < 0 || !int.TryParse(step.AsSpan(bracket + 1, end - bracket - 1), out var index))
            {
                break;
            }
            path = path.Item(index);
            bracket = step.IndexOf('[', end);
        }
        return path;
    }

    private static bool Contains(IReadOnlyList<string> names, string name)
    {
        foreach (var candidate in names)
        {
            if (candidate == name)
            {
                return true;
            }
        }
        return false;
    }

    private static string NameOf(Any any) => any.TypeUrl[(any.TypeUrl.LastIndexOf('/') + 1)..];

    private static string Short(ResourceType type) => type.TypeUrl[(type.TypeUrl.LastIndexOf('/') + 1)..];
}
