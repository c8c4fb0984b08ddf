using System.Net;
using System.Net.Sockets;
using Postern.Policy;

namespace Postern.Filters.Listener;

/// <summary>
/// <c>cilium.bpf_metadata</c>: turns addresses into identities and finds out whose policy applies. Here is where identity is resolved.
/// Ingress: the pod is the destination and only the source has an identity. Egress: the pod is the source and both sides are resolved.
/// An address nobody claims is <see cref="Identities.World"/>, as upstream.
/// </summary>
public sealed class BpfMetadata
{
    /// <summary>Side of the pod.</summary>
    public required TrafficDirection Direction { get; init; }

    /// <summary>Listener's id for rules that name one.</summary>
    public required uint ProxyId { get; init; }

    /// <summary>Keep the client's address on upstream connections.</summary>
    public required bool UseOriginalSourceAddress { get; init; }

    /// <summary>Upstream source when the client's is not kept.</summary>
    public IPAddress? Ipv4SourceAddress { get; init; }

    /// <summary>Same for IPv6.</summary>
    public IPAddress? Ipv6SourceAddress { get; init; }

    /// <summary>Upstream sockets carry the proxy's mark; needs CAP_NET_ADMIN.</summary>
    public required bool MarkUpstream { get; init; }

    /// <summary>SO_LINGER for sockets that keep the client's address; null leaves it alone.</summary>
    public uint? OriginalSourceSoLingerTime { get; init; }

    /// <summary>
    /// Nothing but this proxy stands between the pods of the node. On egress the ingress policy of a destination that has one is judged too, for
    /// nobody else will; and the client's address is kept between two pods of the node, where no datapath would loop the proxy's traffic back.
    /// </summary>
    public bool IsOnlyDatapath { get; init; }

    /// <summary>The listener of an L7 load balancer: policy is judged when the endpoint is known. Egress only.</summary>
    public bool IsL7Lb { get; init; }

    /// <summary>A north/south load balancer applies the policy of its Ingress IP, or the one named by <see cref="L7LbPolicyName"/>.</summary>
    public bool EnforcePolicyOnL7Lb { get; init; }

    /// <summary>In place of the Ingress IP; empty for that.</summary>
    public string L7LbPolicyName { get; init; } = "";

    /// <summary>Policy and identities.</summary>
    public required IPolicySource Policy { get; init; }

    /// <summary>Resolves one accepted connection.</summary>
    /// <param name="source">Client, IPv4-mapped addresses already normalised.</param>
    /// <param name="destination">Original destination, likewise.</param>
    /// <param name="sni">From the TLS inspector, or empty.</param>
    public ConnectionMetadata Resolve(IPEndPoint source, IPEndPoint destination, string sni) => Resolve(Policy.Current, source, destination, sni);

    /// <summary>The same under policies and identities at hand.</summary>
    public ConnectionMetadata Resolve(PolicyState state, IPEndPoint source, IPEndPoint destination, string sni)
    {
        if (IsL7Lb)
        {
            return L7LbResolution.Resolve(this, state, source, destination, sni);
        }
        var ingress = Direction == TrafficDirection.Ingress;
        var pod = ingress ? destination.Address : source.Address;
        var other = ingress ? source.Address : destination.Address;
        var sourceIdentity = IdentityOf(state.Hosts, source.Address);
        return new ConnectionMetadata
        {
            DestinationSide = IsOnlyDatapath && !ingress ? DestinationSide(source, destination, sni, sourceIdentity) : null,
            Direction = Direction,
            PodAddress = pod.ToString(),
            SourceIdentity = sourceIdentity,
            DestinationIdentity = ingress ? Identities.Unknown : IdentityOf(state.Hosts, destination.Address),
            Source = source,
            Destination = destination,
            ProxyId = ProxyId,
            Sni = sni,
            UpstreamSourceAddress = UpstreamSource(state, source.Address, destination.Address, other),
            MarksUpstream = MarkUpstream,
            UpstreamLingerSeconds = OriginalSourceSoLingerTime,
            Policy = Policy,
            ResolvedBy = state.Hosts,
        };
    }

    // Without proxy_id: a rule bound to one listener applies to what that listener took in, and this was not.
    internal ConnectionMetadata DestinationSide(IPEndPoint source, IPEndPoint destination, string sni, uint sourceIdentity) => new()
    {
        Direction = TrafficDirection.Ingress,
        PodAddress = destination.Address.ToString(),
        SourceIdentity = sourceIdentity,
        DestinationIdentity = Identities.Unknown,
        Source = source,
        Destination = destination,
        ProxyId = 0,
        Sni = sni,
        UpstreamSourceAddress = null,
        Policy = Policy,
    };

    internal static uint IdentityOf(IdentityMap hosts, IPAddress address)
    {
        var identity = hosts.Find(address);
        return identity == Identities.Unknown ? Identities.World : identity;
    }

    // The client's address is kept only when the other side is not a pod of this node: between two local pods the datapath would loop
    // the proxy's own traffic back, so upstream leaves the source to the kernel there.
    private IPAddress? UpstreamSource(PolicyState state, IPAddress source, IPAddress destination, IPAddress other)
    {
        if (source.Equals(destination))
        {
            return null;
        }
        if (UseOriginalSourceAddress && (IsOnlyDatapath || state.Policies.FindEndpoint(other.ToString()) is null))
        {
            return source;
        }
        return destination.AddressFamily == AddressFamily.InterNetwork ? Ipv4SourceAddress : Ipv6SourceAddress;
    }
}
