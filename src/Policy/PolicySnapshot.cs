using System;
using System.Collections.Generic;
using Postern.Policy.Compile;
using Postern.Policy.Config;

namespace Postern.Policy;

/// <summary>All endpoint policies in force, compiled. Immutable; swapped by one reference write.</summary>
public sealed class PolicySnapshot
{
    /// <summary>No policy for anyone: everything is denied.</summary>
    public static readonly PolicySnapshot Empty = new([], []);

    private readonly Dictionary<string, EndpointPolicy> byAddress;
    private readonly NetworkPolicyConfig[] resources;

    internal PolicySnapshot(NetworkPolicyConfig[] resources, EndpointPolicy[] endpoints)
    {
        this.resources = resources;
        Endpoints = endpoints;
        byAddress = new Dictionary<string, EndpointPolicy>(endpoints.Length, StringComparer.Ordinal);
        foreach (var endpoint in endpoints)
        {
            foreach (var address in endpoint.Config.EndpointIps)
            {
                byAddress.Add(address, endpoint);
            }
        }
    }

    /// <summary>The compiled endpoints, in the order of the update.</summary>
    public IReadOnlyList<EndpointPolicy> Endpoints { get; }

    /// <summary>The resources this was compiled from.</summary>
    public IReadOnlyCollection<NetworkPolicyConfig> Resources => resources;

    /// <summary>The policy whose <c>endpoint_ips</c> hold exactly this text, or null: deny.</summary>
    public EndpointPolicy? FindEndpoint(string address) => byAddress.GetValueOrDefault(address);

    /// <summary>Compiles a full (SotW) set. Unchanged resources of <paramref name="previous"/> keep their compiled object.</summary>
    /// <exception cref="PolicyConfigException">The update is refused as a whole; the message is the one Cilium's proxy gives.</exception>
    public static PolicySnapshot Compile(IReadOnlyList<NetworkPolicyConfig> resources, PolicySnapshot? previous = null) =>
        Compile(resources, previous, new UpdateOrigin("", previous is null ? UpdateStream.New : UpdateStream.Old));

    /// <summary>Compiles a full (SotW) set, naming <paramref name="origin"/> in errors.</summary>
    /// <exception cref="PolicyConfigException">The update is refused as a whole.</exception>
    public static PolicySnapshot Compile(IReadOnlyList<NetworkPolicyConfig> resources, PolicySnapshot? previous, UpdateOrigin origin) =>
        new PolicyCompiler(previous ?? Empty).Compile(resources, origin);
}
