using System.Net;
using Postern.Filters.Listener;

namespace Postern.Filters;

/// <summary>
/// What a listener of an L7 load balancer (<c>is_l7lb</c>) adds to a connection. Two kinds: east/west (<c>use_original_source_address</c>) serves endpoints of this node
/// under their own policy and addresses; north/south serves anybody in the name of the node's Ingress IP.
/// </summary>
public sealed record L7LbMetadata
{
    /// <summary>Why no policy can be applied, so that the connection goes nowhere (upstream: "no metadata"); empty when one can.</summary>
    public string Unusable { get; init; } = "";

    /// <summary>The Ingress policy that is judged too: <c>l7lb_policy_name</c>, or the Ingress IP. Empty for none.</summary>
    public string IngressPolicyName { get; init; } = "";

    /// <summary>The client's own identity, for the ingress side of the Ingress policy; 0 where there is none to judge.</summary>
    public uint IngressSourceIdentity { get; init; }

    /// <summary>East/west: the endpoint that upstream marks name, so that the datapath applies its egress policy to what the proxy sends.</summary>
    public ushort? EndpointId { get; init; }

    /// <summary>Source of upstream connections over IPv4; null leaves it to the kernel.</summary>
    public IPAddress? Ipv4Source { get; init; }

    /// <summary>Same for IPv6.</summary>
    public IPAddress? Ipv6Source { get; init; }

    /// <summary>What resolved it, and resolves it again when policies or identities are others.</summary>
    public required BpfMetadata Resolver { get; init; }
}
