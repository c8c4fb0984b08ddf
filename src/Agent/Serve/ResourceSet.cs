using System;
using System.Collections.Generic;
using System.Globalization;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Discovery;

namespace Postern.Agent.Serve;

/// <summary>All resources of a type at one version. Immutable but for what it keeps ready.</summary>
internal sealed class ResourceSet
{
    private readonly Dictionary<string, ServedResource> byName;
    private DiscoveryResponse? whole;

    private ResourceSet(ResourceType type, ulong version, ulong changedAt, Dictionary<string, ServedResource> byName)
    {
        Type = type;
        Version = version;
        ChangedAt = changedAt;
        this.byName = byName;
    }

    public ResourceType Type { get; }

    public ulong Version { get; }

    /// <summary>Version in which anything came, changed or went; lower than <see cref="Version"/> when that was only lifted.</summary>
    public ulong ChangedAt { get; }

    public IReadOnlyDictionary<string, ServedResource> ByName => byName;

    /// <summary>The first set of a type.</summary>
    public static ResourceSet Create(ResourceType type, ulong version, IReadOnlyDictionary<string, Any> resources) =>
        new ResourceSet(type, 0, 0, new Dictionary<string, ServedResource>(StringComparer.Ordinal)).Replace(version, resources);

    /// <summary>The set that follows, or this when the content is equal. Unchanged resources are taken over.</summary>
    public ResourceSet With(ulong version, IReadOnlyDictionary<string, Any> resources) =>
        HasContent(resources) ? this : Replace(version, resources);

    /// <summary>The same content under a higher version.</summary>
    public ResourceSet Lifted(ulong version) => new(Type, version, ChangedAt, byName);

    /// <summary>The response with all resources; made once, its nonce is its version. Must not be changed.</summary>
    public DiscoveryResponse Whole() => whole ??= Respond(byName.Values);

    /// <summary>The response with those that exist.</summary>
    public DiscoveryResponse Only(IReadOnlyCollection<string> names)
    {
        var found = new List<ServedResource>(names.Count);
        foreach (var name in names)
        {
            if (byName.TryGetValue(name, out var resource))
            {
                found.Add(resource);
            }
        }
        return Respond(found);
    }

    private DiscoveryResponse Respond(IReadOnlyCollection<ServedResource> resources)
    {
        var version = Version.ToString(CultureInfo.InvariantCulture);
        var response = new DiscoveryResponse { VersionInfo = version, TypeUrl = Type.TypeUrl, Nonce = version };
        response.Resources.Capacity = resources.Count;
        foreach (var resource in resources)
        {
            response.Resources.Add(resource.Any);
        }
        return response;
    }

    private bool HasContent(IReadOnlyDictionary<string, Any> resources)
    {
        if (resources.Count != byName.Count)
        {
            return false;
        }
        foreach (var (name, any) in resources)
        {
            if (!byName.TryGetValue(name, out var old) || !old.HasContent(any))
            {
                return false;
            }
        }
        return true;
    }

    private ResourceSet Replace(ulong version, IReadOnlyDictionary<string, Any> resources)
    {
        var next = new Dictionary<string, ServedResource>(resources.Count, StringComparer.Ordinal);
        foreach (var (name, any) in resources)
        {
            if (any.TypeUrl != Type.TypeUrl)
            {
                throw new ArgumentException($"{Type}: {name} is a {any.TypeUrl}, expected {Type.TypeUrl}", nameof(resources));
            }
            next.Add(name, byName.TryGetValue(name, out var old) && old.HasContent(any) ? old : new ServedResource(name, any, version));
        }
        return new ResourceSet(Type, version, version, next);
    }
}
