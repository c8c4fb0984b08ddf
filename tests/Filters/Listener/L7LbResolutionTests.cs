using System.Net;
using Postern.Filters;
using Postern.Filters.Listener;
using Postern.Policy;
using Postern.Policy.Config;

namespace Postern.Tests.Filters.Listener;

/// <summary>What <c>cilium.bpf_metadata</c> makes of connections to a load balancer's listener, in both of its modes.</summary>
public class L7LbResolutionTests
{
    private const string Pod = "10.0.0.1";
    private const string Ingress = "10.9.9.9";

    private readonly PolicyFixture policy = new();

    [Fact]
    public void EastWest_AppearsAsTheEndpointAndMarksItsId()
    {
        policy.Set([new NetworkPolicyConfig("7", 7, [Pod, "fd00::1"], [], [])], (100, Pod), (200, "10.100.0.0/24"));
        var metadata = Resolve(EastWest(), Pod);
        Assert.Equal((TrafficDirection.Egress, Pod, 100u, 200u), (metadata.Direction, metadata.PodAddress, metadata.SourceIdentity, metadata.DestinationIdentity));
        Assert.Equal(("", "", 0u, (ushort?)7), (metadata.L7Lb!.Unusable, metadata.L7Lb.IngressPolicyName, metadata.L7Lb.IngressSourceIdentity, metadata.L7Lb.EndpointId));
        Assert.Equal(Pod, metadata.UpstreamSourceTowards(IPAddress.Parse("10.0.1.5"))?.ToString());
        Assert.Equal("fd00::1", metadata.UpstreamSourceTowards(IPAddress.Parse("fd00::99"))?.ToString());
        Assert.Equal(3u, metadata.UpstreamLingerSeconds);
    }

    [Fact]
    public void EastWestTowardsAnotherPodOfTheNode_LeavesTheSourceToTheKernel()
    {
        policy.Set([new NetworkPolicyConfig("7", 7, [Pod], [], []), new NetworkPolicyConfig("8", 8, ["10.0.0.2"], [], [])], (100, Pod));
        Assert.Null(Resolve(EastWest(), Pod).UpstreamSourceTowards(IPAddress.Parse("10.0.0.2")));
    }

    [Theory]
    [InlineData(Pod, 0x1_0000UL, "endpoint_id 65536 of 10.0.0.1 does not fit")]
    [InlineData("10.0.0.3", 7UL, "10.0.0.1 is no endpoint of this node")]
    public void EastWestWithoutAnEndpointThatMarksCanName_IsUnusable(string known, ulong id, string why)
    {
        policy.Set([new NetworkPolicyConfig("7", id, [known], [], [])], (100, Pod));
        var metadata = Resolve(EastWest(), Pod);
        Assert.Contains(why, metadata.L7Lb!.Unusable);
        Assert.Null(metadata.UpstreamSourceTowards(IPAddress.Parse("10.0.1.5")));
    }

    [Theory]
    [InlineData(false, "", "", 0u)]
    [InlineData(true, "", Ingress, 100u)]
    [InlineData(true, "front", "front", 100u)]
    public void NorthSouth_AppearsAsTheIngressIp(bool enforces, string name, string policyName, uint source)
    {
        policy.Set([], (100, "192.0.2.7"), (8, Ingress));
        var metadata = Resolve(NorthSouth(enforces, name), "192.0.2.7");
        Assert.Equal(("", 8u), (metadata.PodAddress, metadata.SourceIdentity));
        Assert.Equal(("", policyName, source, (ushort?)null), (metadata.L7Lb!.Unusable, metadata.L7Lb.IngressPolicyName, metadata.L7Lb.IngressSourceIdentity, metadata.L7Lb.EndpointId));
        Assert.Equal(Ingress, metadata.UpstreamSourceTowards(IPAddress.Parse("10.0.1.5"))?.ToString());
        Assert.Null(metadata.UpstreamLingerSeconds);
    }

    [Fact]
    public void NorthSouthOfAnEndpointOfTheNode_KeepsItsPolicyToo()
    {
        policy.Set([new NetworkPolicyConfig("7", 7, [Pod], [], [])], (100, Pod), (8, Ingress));
        Assert.Equal((Pod, 8u), (Resolve(NorthSouth(true), Pod).PodAddress, Resolve(NorthSouth(true), Pod).SourceIdentity));
    }

    [Fact]
    public void NorthSouthWithoutAnAddressOfTheFamily_IsUnusable()
    {
        policy.Set([], (8, Ingress));
        var metadata = NorthSouth(true).Resolve(IPEndPoint.Parse("[fd00::1]:4000"), IPEndPoint.Parse("[fd00::2]:80"), "");
        Assert.Contains("set ipv6_source_address", metadata.L7Lb!.Unusable);
    }

    [Fact]
    public void NorthSouthWhoseIngressIpHasNoIdentity_IsUnusableUntilItHas()
    {
        policy.Set([], (100, "192.0.2.7"));
        var metadata = Resolve(NorthSouth(true), "192.0.2.7");
        Assert.Contains("no NetworkPolicyHosts entry gives the Ingress IP 10.9.9.9", metadata.L7Lb!.Unusable);
        policy.Set([], (100, "192.0.2.7"), (8, Ingress));
        Assert.Equal(("", 8u), (metadata.Under(policy.Current).L7Lb!.Unusable, metadata.Under(policy.Current).SourceIdentity));
    }

    [Fact]
    public void AnotherStateThatSaysTheSame_KeepsTheObject()
    {
        policy.Set([new NetworkPolicyConfig("7", 7, [Pod], [], [])], (100, Pod));
        var metadata = Resolve(EastWest(), Pod);
        policy.Set([new NetworkPolicyConfig("7", 7, [Pod], [], [])], (100, Pod), (9, "10.8.0.0/16"));
        Assert.Same(metadata, metadata.Under(policy.Current));
        policy.Set([], (100, Pod));
        Assert.NotEqual("", metadata.Under(policy.Current).L7Lb!.Unusable);
    }

    private BpfMetadata EastWest() => new()
    {
        Direction = TrafficDirection.Egress, ProxyId = 3, UseOriginalSourceAddress = true, IsL7Lb = true, MarkUpstream = true, OriginalSourceSoLingerTime = 3, Policy = policy,
    };

    private BpfMetadata NorthSouth(bool enforces, string name = "") => new()
    {
        Direction = TrafficDirection.Egress, ProxyId = 3, UseOriginalSourceAddress = false, IsL7Lb = true, MarkUpstream = true, OriginalSourceSoLingerTime = 3,
        Ipv4SourceAddress = IPAddress.Parse(Ingress), EnforcePolicyOnL7Lb = enforces, L7LbPolicyName = name, Policy = policy,
    };

    private static ConnectionMetadata Resolve(BpfMetadata filter, string client) => filter.Resolve(new IPEndPoint(IPAddress.Parse(client), 4000), IPEndPoint.Parse("10.100.0.1:80"), "");
}
