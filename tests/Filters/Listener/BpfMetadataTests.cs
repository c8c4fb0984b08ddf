using System.Net;
using Postern.Filters.Listener;
using Postern.Policy;

namespace Postern.Tests.Filters.Listener;

public class BpfMetadataTests
{
    private readonly PolicyFixture policy = new();

    [Fact]
    public void Ingress_PodIsDestinationAndOnlySourceIsResolved()
    {
        policy.Set([PolicyFixture.Ingress("10.0.0.2", 80)], (100, "10.0.0.1"), (200, "10.0.0.2"));
        var metadata = Filter(TrafficDirection.Ingress).Resolve(IPEndPoint.Parse("10.0.0.1:4000"), IPEndPoint.Parse("10.0.0.2:80"), "x");
        Assert.Equal("10.0.0.2", metadata.PodAddress);
        Assert.Equal(100u, metadata.SourceIdentity);
        Assert.Equal(0u, metadata.DestinationIdentity);
        Assert.Equal(100u, metadata.RemoteIdentity);
        Assert.Equal("x", metadata.Sni);
        Assert.Equal(80, metadata.PolicyPort);
    }

    [Fact]
    public void Egress_PodIsSourceAndBothSidesAreResolved()
    {
        policy.Set([PolicyFixture.Egress("10.0.0.1", 443)], (100, "10.0.0.1"), (200, "10.0.0.0/24"));
        var metadata = Filter(TrafficDirection.Egress).Resolve(IPEndPoint.Parse("10.0.0.1:4000"), IPEndPoint.Parse("10.0.0.9:443"), "");
        Assert.Equal("10.0.0.1", metadata.PodAddress);
        Assert.Equal(100u, metadata.SourceIdentity);
        Assert.Equal(200u, metadata.RemoteIdentity);
    }

    [Fact]
    public void AddressNobodyClaims_IsWorld()
    {
        var metadata = Filter(TrafficDirection.Egress).Resolve(IPEndPoint.Parse("10.0.0.1:4000"), IPEndPoint.Parse("[2001:db8::1]:443"), "");
        Assert.Equal(Identities.World, metadata.SourceIdentity);
        Assert.Equal(Identities.World, metadata.DestinationIdentity);
    }

    [Fact]
    public void Ipv6Pod_IsKeyedByCanonicalText()
    {
        var metadata = Filter(TrafficDirection.Ingress).Resolve(IPEndPoint.Parse("[fd00::1]:4000"), IPEndPoint.Parse("[FD00:0::2]:80"), "");
        Assert.Equal("fd00::2", metadata.PodAddress);
    }

    [Theory]
    [InlineData("10.0.0.1", null)] // the client is a pod of this node: its address stays out of the proxy's sockets
    [InlineData("10.0.0.7", "10.0.0.7")]
    public void OriginalSource_IsKeptUnlessTheOtherSideIsLocal(string client, string? expected)
    {
        policy.Set([PolicyFixture.Ingress("10.0.0.1", 80)]);
        var metadata = Filter(TrafficDirection.Ingress).Resolve(new IPEndPoint(IPAddress.Parse(client), 4000), IPEndPoint.Parse("10.0.0.2:80"), "");
        Assert.Equal(expected, metadata.UpstreamSourceAddress?.ToString());
    }

    [Fact]
    public void SourceEqualToDestination_IsNotKept()
    {
        var metadata = Filter(TrafficDirection.Ingress).Resolve(IPEndPoint.Parse("10.0.0.2:4000"), IPEndPoint.Parse("10.0.0.2:80"), "");
        Assert.Null(metadata.UpstreamSourceAddress);
    }

    [Fact]
    public void ConfiguredSource_IsOfTheDestinationsFamily()
    {
        var filter = new BpfMetadata
        {
            Direction = TrafficDirection.Egress,
            ProxyId = 0,
            UseOriginalSourceAddress = false,
            MarkUpstream = true,
            Ipv4SourceAddress = IPAddress.Parse("192.0.2.1"),
            Ipv6SourceAddress = IPAddress.Parse("2001:db8::1"),
            Policy = policy,
        };
        Assert.Equal("192.0.2.1", filter.Resolve(IPEndPoint.Parse("10.0.0.1:1"), IPEndPoint.Parse("10.0.0.2:80"), "").UpstreamSourceAddress?.ToString());
        Assert.Equal("2001:db8::1", filter.Resolve(IPEndPoint.Parse("[fd00::1]:1"), IPEndPoint.Parse("[fd00::2]:80"), "").UpstreamSourceAddress?.ToString());
    }

    [Theory]
    [InlineData(true, "10.0.0.1")]
    [InlineData(false, null)]
    public void TwoPodsOfTheNode_ClientsAddressIsKeptWhereNoDatapathLoops(bool only, string? kept)
    {
        policy.Set([PolicyFixture.Ingress("10.0.0.1", 80)], (100, "10.0.0.1"), (200, "10.0.0.2"));
        var metadata = Filter(TrafficDirection.Ingress, only).Resolve(IPEndPoint.Parse("10.0.0.1:4000"), IPEndPoint.Parse("10.0.0.2:80"), "");
        Assert.Equal(kept, metadata.UpstreamSourceAddress?.ToString());
    }

    private BpfMetadata Filter(TrafficDirection direction, bool only = false) => new()
    {
        IsOnlyDatapath = only,
        Direction = direction,
        ProxyId = 0,
        UseOriginalSourceAddress = true,
        MarkUpstream = true,
        Policy = policy,
    };
}
