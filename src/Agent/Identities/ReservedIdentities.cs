using System.Collections.Generic;
using Postern.Agent.Model;
using Postern.Policy;

namespace Postern.Agent.Identities;

/// <summary>Cilium's reserved numbers. Source: the table of numeric identities in Cilium's documentation.</summary>
public static class ReservedIdentities
{
    /// <summary>This node.</summary>
    public const uint Host = 1;

    /// <summary>What no entry covers.</summary>
    public const uint World = Postern.Policy.Identities.World;

    /// <summary>Endpoints that the agent does not manage.</summary>
    public const uint Unmanaged = 3;

    /// <summary>Health endpoints.</summary>
    public const uint Health = 4;

    /// <summary>Endpoints without labels yet.</summary>
    public const uint Init = 5;

    /// <summary>Other nodes.</summary>
    public const uint RemoteNode = 6;

    /// <summary>The API server.</summary>
    public const uint KubeApiServer = 7;

    /// <summary>Ingress proxies.</summary>
    public const uint Ingress = 8;

    /// <summary>The world's IPv4 part, when the two are told apart.</summary>
    public const uint WorldIpv4 = 9;

    /// <summary>The world's IPv6 part, when the two are told apart.</summary>
    public const uint WorldIpv6 = 10;

    /// <summary>First number of an endpoint's identity.</summary>
    public const uint FirstEndpoint = 256;

    /// <summary>Last number of an endpoint's identity: they fit into a mark.</summary>
    public const uint LastEndpoint = 65535;

    /// <summary>Numbers from here on are local to the node: CIDR.</summary>
    public const uint LocalScope = 1u << 24;

    /// <summary>Number → name of the label.</summary>
    public static readonly IReadOnlyDictionary<uint, string> Names = new Dictionary<uint, string>
    {
        [Host] = "host",
        [World] = "world",
        [Unmanaged] = "unmanaged",
        [Health] = "health",
        [Init] = "init",
        [RemoteNode] = "remote-node",
        [KubeApiServer] = "kube-apiserver",
        [Ingress] = "ingress",
        [WorldIpv4] = "world-ipv4",
        [WorldIpv6] = "world-ipv6",
    };

    /// <summary>Labels of a reserved identity.</summary>
    public static LabelSet LabelsOf(uint identity) => new([new Label(Label.Reserved, Names[identity], "")]);
}
