using System;
using System.Net;
using System.Net.Sockets;
using Postern.Filters.Listener;
using Postern.Filters.Network;
using Postern.Policy;

namespace Postern.Filters;

/// <summary>
/// What is known of one accepted connection once its listener filters ran: who talks to whom, by identity. Immutable; the result of
/// <c>cilium.bpf_metadata</c>. A connection without it (no such filter) has no policy and is refused by the Cilium filters.
/// </summary>
public sealed record ConnectionMetadata
{
    /// <summary>Which side of the pod this listener serves.</summary>
    public required TrafficDirection Direction { get; init; }

    /// <summary>The pod's address: destination on ingress, source on egress. The key of its policy, in canonical text. Empty where a load balancer's client is no pod of this node.</summary>
    public required string PodAddress { get; init; }

    /// <summary>Identity of the source.</summary>
    public required uint SourceIdentity { get; init; }

    /// <summary>Identity of the destination: 0 on ingress.</summary>
    public required uint DestinationIdentity { get; init; }

    /// <summary>The client.</summary>
    public required IPEndPoint Source { get; init; }

    /// <summary>The original destination.</summary>
    public required IPEndPoint Destination { get; init; }

    /// <summary>Listener's proxy_id.</summary>
    public required uint ProxyId { get; init; }

    /// <summary>Server name of the TLS hello, lower case, or empty.</summary>
    public required string Sni { get; init; }

    /// <summary>On which legs it was given the TLS context that rules ask for, or needs none whatever they say. Rules that ask for more later are not kept by it.</summary>
    public TlsStance Tls { get; init; }

    /// <summary>Whether upstream connections are bound to the client's address.</summary>
    public required IPAddress? UpstreamSourceAddress { get; init; }

    /// <summary>Whether upstream sockets carry the proxy's mark with the source identity: yes on listeners that traffic is steered to.</summary>
    public bool MarksUpstream { get; init; }

    /// <summary>SO_LINGER seconds of upstream sockets that keep the client's address; null leaves it alone.</summary>
    public uint? UpstreamLingerSeconds { get; init; }

    /// <summary>Where policy for this connection comes from.</summary>
    public required IPolicySource Policy { get; init; }

    /// <summary>
    /// The same connection as its destination's policy sees it, ingress, if the destination turns out to have a policy here. What the proxy sends
    /// is never steered again, so where nothing else judges that side this pass has to. Null where the datapath does.
    /// </summary>
    public ConnectionMetadata? DestinationSide { get; init; }

    /// <summary>The map that the identities come from; null where they were given, and no map changes them.</summary>
    public IdentityMap? ResolvedBy { get; init; }

    /// <summary>Of a load balancer's listener: policy is asked once the endpoint is known. Null for all others.</summary>
    public L7LbMetadata? L7Lb { get; init; }

    /// <summary>The same connection under what is in force now; this object if nothing about it is another.</summary>
    public ConnectionMetadata Under(PolicyState state)
    {
        if (L7Lb is { } balancer)
        {
            // Whether the client is an endpoint of this node is a matter of the policies, too: all of it is resolved again.
            var now = balancer.Resolver.Resolve(state, Source, Destination, Sni);
            return now with { ResolvedBy = ResolvedBy } == this ? this : now;
        }
        var hosts = state.Hosts;
        if (ResolvedBy is null || ReferenceEquals(ResolvedBy, hosts))
        {
            return this;
        }
        var source = BpfMetadata.IdentityOf(hosts, Source.Address);
        var destination = Direction == TrafficDirection.Ingress ? Identities.Unknown : BpfMetadata.IdentityOf(hosts, Destination.Address);
        return source == SourceIdentity && destination == DestinationIdentity ? this : this with
        {
            SourceIdentity = source,
            DestinationIdentity = destination,
            DestinationSide = DestinationSide is { } side ? side with { SourceIdentity = source } : null,
            ResolvedBy = hosts,
        };
    }

    /// <summary>The same connection towards the address that it really goes to: what an egress rule about the upstream leg judges.</summary>
    public ConnectionMetadata Towards(EndPoint actual) =>
        Direction == TrafficDirection.Egress && actual is IPEndPoint address && !address.Equals(Destination)
            ? this with { Destination = address, DestinationIdentity = BpfMetadata.IdentityOf(ResolvedBy ?? Policy.Current.Hosts, address.Address) }
            : this;

    /// <summary>The identity that policy judges: the source on ingress, the destination on egress.</summary>
    public uint RemoteIdentity => Direction == TrafficDirection.Ingress ? SourceIdentity : DestinationIdentity;

    /// <summary>The source address of an upstream connection to <paramref name="endpoint"/>; null leaves it to the kernel.</summary>
    public IPAddress? UpstreamSourceTowards(IPAddress endpoint)
    {
        if (L7Lb is not { } balancer)
        {
            return UpstreamSourceAddress;
        }
        var source = endpoint.AddressFamily == AddressFamily.InterNetwork ? balancer.Ipv4Source : balancer.Ipv6Source;
        // As for others: between two pods of this node the datapath would loop the proxy's own traffic back, unless there is none.
        return source is null || (!balancer.Resolver.IsOnlyDatapath && Policy.Current.Policies.FindEndpoint(endpoint.ToString()) is not null) ? null : source;
    }

    /// <summary>The port that policy judges: always the original destination's.</summary>
    public ushort PolicyPort => (ushort)Destination.Port;
}

/// <summary>Policy and identities in force right now. Read at each decision; both come from one reference, so that a decision sees one pair.</summary>
public interface IPolicySource
{
    /// <summary>The state in force; never null. Before the first update it denies everything.</summary>
    PolicyState Current { get; }

    /// <summary>Generic secrets for header_matches.</summary>
    ISecretSource Secrets { get; }
}

/// <summary>Policies and identities, each of one update of its own.</summary>
/// <param name="Policies">By endpoint address.</param>
/// <param name="Hosts">Address → identity.</param>
/// <param name="Version">As the control plane named it; empty before the first update.</param>
public sealed record PolicyState(PolicySnapshot Policies, IdentityMap Hosts, string Version)
{
    /// <summary>What records made under this policy must say of it, like "policy version 42 (from disk, 40 s old)"; empty when there is nothing to say.</summary>
    public string Note { get; init; } = "";

    /// <summary>Denies everything.</summary>
    public static readonly PolicyState Empty = new(PolicySnapshot.Empty, IdentityMap.Empty, "");
}
