using System.Collections.Generic;
using System.Net;

namespace Postern.Agent.Model;

/// <summary>One way a rule names the other side.</summary>
public abstract record Peer;

/// <summary>fromEndpoints, toEndpoints: by labels, namespace defaulting done.</summary>
public sealed record LabelPeer(LabelSelector Selector) : Peer;

/// <summary>fromEntities, toEntities.</summary>
public sealed record EntityPeer(PeerEntity Entity) : Peer;

/// <summary>fromCIDR, fromCIDRSet and their egress twins.</summary>
/// <param name="Prefix">What is meant.</param>
/// <param name="Except">Without these, all within <paramref name="Prefix"/>; a list of values, order does not matter.</param>
public sealed record CidrPeer(IPNetwork Prefix, IReadOnlyList<IPNetwork> Except) : Peer;

/// <summary>What is read but selects nobody here, so that nothing is allowed by it.</summary>
/// <param name="Field">toFQDNs, toServices, …</param>
public sealed record UnresolvedPeer(string Field) : Peer;

/// <summary>Cilium's entities.</summary>
public enum PeerEntity
{
    /// <summary>Everybody.</summary>
    All,

    /// <summary>What is neither an endpoint nor the host.</summary>
    World,

    /// <summary>The same, IPv4.</summary>
    WorldIpv4,

    /// <summary>The same, IPv6.</summary>
    WorldIpv6,

    /// <summary>This node.</summary>
    Host,

    /// <summary>Other nodes.</summary>
    RemoteNode,

    /// <summary>All endpoints and nodes.</summary>
    Cluster,

    /// <summary>Endpoints without labels yet.</summary>
    Init,

    /// <summary>Ingress proxies.</summary>
    Ingress,

    /// <summary>Health endpoints.</summary>
    Health,

    /// <summary>Endpoints that the agent does not manage.</summary>
    Unmanaged,

    /// <summary>The API server.</summary>
    KubeApiServer,

    /// <summary>Nobody.</summary>
    None,
}
