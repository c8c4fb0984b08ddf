using System.Collections.Generic;
using Postern.Policy.Config;

namespace Postern.Policy;

/// <summary>All endpoint policies in force, compiled. Immutable; swapped by one reference write.</summary>
public sealed class PolicySnapshot
{
    /// <summary>No policy for anyone: everything is denied.</summary>
    public static readonly PolicySnapshot Empty = new();

    /// <summary>The policy whose <c>endpoint_ips</c> hold exactly this text, or null: deny.</summary>
    public EndpointPolicy? FindEndpoint(string address) => throw new System.NotImplementedException();

    /// <summary>The resources this was compiled from.</summary>
    public IReadOnlyCollection<NetworkPolicyConfig> Resources => throw new System.NotImplementedException();

    /// <summary>Compiles a full (SotW) set. Unchanged resources of <paramref name="previous"/> keep their compiled object.</summary>
    /// <exception cref="PolicyConfigException">The update is refused as a whole; the message is the one Cilium's proxy gives.</exception>
    public static PolicySnapshot Compile(IReadOnlyList<NetworkPolicyConfig> resources, PolicySnapshot? previous = null) => throw new System.NotImplementedException();
}
