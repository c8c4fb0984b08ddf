using System.Net;
using System.Net.Sockets;
using Postern.Policy;

namespace Postern.Filters.Listener;

/// <summary>
/// The part of <c>cilium.bpf_metadata</c> for listeners of an L7 load balancer: whose policies will be asked once the endpoint is known, and as whom the proxy
/// appears to it. Where nobody's can be, the result says why and is of no use.
/// </summary>
internal static class L7LbResolution
{
    public static ConnectionMetadata Resolve(BpfMetadata filter, PolicyState state, IPEndPoint source, IPEndPoint destination, string sni)
    {
        var client = source.Address.ToString();
        var pod = state.Policies.FindEndpoint(client);
        var identity = BpfMetadata.IdentityOf(state.Hosts, source.Address);
        var balancer = filter.UseOriginalSourceAddress
            ? EastWest(filter, pod, client)
            : NorthSouth(filter, state.Hosts, destination.AddressFamily, ref identity);
        return new ConnectionMetadata
        {
            // The proxy sends as whoever it appears as; in front of a destination that only this proxy guards, that is who must be allowed.
            DestinationSide = filter.IsOnlyDatapath ? filter.DestinationSide(source, destination, sni, identity) : null,
            Direction = TrafficDirection.Egress,
            PodAddress = filter.UseOriginalSourceAddress || pod is not null ? client : "",
            SourceIdentity = identity,
            DestinationIdentity = BpfMetadata.IdentityOf(state.Hosts, destination.Address),
            Source = source,
            Destination = destination,
            ProxyId = filter.ProxyId,
            Sni = sni,
            UpstreamSourceAddress = null,
            MarksUpstream = filter.MarkUpstream,
            UpstreamLingerSeconds = filter.UseOriginalSourceAddress ? filter.OriginalSourceSoLingerTime : null,
            Policy = filter.Policy,
            ResolvedBy = state.Hosts,
            L7Lb = balancer,
        };
    }

    private static L7LbMetadata EastWest(BpfMetadata filter, EndpointPolicy? pod, string client)
    {
        if (pod is null)
        {
            return Unusable(filter, $"{client} is no endpoint of this node (no NetworkPolicy has it in endpoint_ips), and a load balancer's listener with use_original_source_address serves only those");
        }
        // Upstream cuts longer ids off, so that the mark names another endpoint.
        if (pod.Config.EndpointId is 0 or > ushort.MaxValue)
        {
            return Unusable(filter, $"endpoint_id {pod.Config.EndpointId} of {client} does not fit the 16 bits that a mark has for it");
        }
        IPAddress? v4 = null, v6 = null;
        foreach (var text in pod.Config.EndpointIps)
        {
            if (IPAddress.TryParse(text, out var address) && address.ToString() == text)
            {
                _ = address.AddressFamily == AddressFamily.InterNetwork ? v4 ??= address : v6 ??= address;
            }
        }
        return new L7LbMetadata { Resolver = filter, EndpointId = (ushort)pod.Config.EndpointId, Ipv4Source = v4, Ipv6Source = v6 };
    }

    // The client's own identity comes in, the one of the Ingress IP goes out.
    private static L7LbMetadata NorthSouth(BpfMetadata filter, IdentityMap hosts, AddressFamily family, ref uint identity)
    {
        var (ingress, field) = family == AddressFamily.InterNetwork ? (filter.Ipv4SourceAddress, "ipv4_source_address") : (filter.Ipv6SourceAddress, "ipv6_source_address");
        if (ingress is null)
        {
            return Unusable(filter, $"the load balancer's listener has no Ingress IP of the destination's family; set {field} of cilium.bpf_metadata, or use_original_source_address for endpoints of this node");
        }
        var real = identity;
        identity = BpfMetadata.IdentityOf(hosts, ingress);
        if (identity == Identities.World)
        {
            return Unusable(filter, $"no NetworkPolicyHosts entry gives the Ingress IP {ingress} ({field}) an identity");
        }
        return new L7LbMetadata
        {
            Resolver = filter,
            IngressPolicyName = !filter.EnforcePolicyOnL7Lb ? "" : filter.L7LbPolicyName.Length > 0 ? filter.L7LbPolicyName : ingress.ToString(),
            IngressSourceIdentity = filter.EnforcePolicyOnL7Lb ? real : Identities.Unknown,
            Ipv4Source = filter.Ipv4SourceAddress,
            Ipv6Source = filter.Ipv6SourceAddress,
        };
    }

    private static L7LbMetadata Unusable(BpfMetadata filter, string why) => new() { Resolver = filter, Unusable = why };
}
