using System.Linq;
using System.Net;
using Postern.Filters;
using Postern.Filters.Listener;
using Postern.Filters.Network;
using Postern.Policy;
using Postern.Policy.Config;

namespace Postern.Tests.Filters.Network;

/// <summary>Whose policies are asked about an endpoint of a load balancer, in which order, and about what.</summary>
public class L7LbPolicyTests
{
    private const string Pod = "10.0.0.1";
    private const string Ingress = "10.9.9.9";

    private static readonly IPEndPoint Endpoint = IPEndPoint.Parse("10.1.0.1:8080");

    private readonly PolicyFixture policy = new();

    [Fact]
    public void AllThree_AreAskedInOrder()
    {
        Set();
        var sides = L7LbPolicy.SidesOf(Resolve(), Endpoint, policy.Current);
        Assert.Equal(
            ["Egress 10.0.0.1 201 8080", "Ingress 10.9.9.9 100 80", "Egress 10.9.9.9 201 8080"],
            sides.Select(side => $"{side.View.Direction} {side.View.PodAddress} {side.View.RemoteIdentity} {side.View.PolicyPort}"));
    }

    [Fact]
    public void OnlyDatapath_TheEndpointsOwnIngressIsAskedForWhomTheProxyAppearsAs()
    {
        Set(new NetworkPolicyConfig("5", 5, ["10.1.0.1"], [Port(8080, 8)], []));
        var last = L7LbPolicy.SidesOf(Resolve(only: true), Endpoint, policy.Current)[^1];
        Assert.Equal((true, TrafficDirection.Ingress, "10.1.0.1", 8u, (ushort)8080), (last.GuardsDestination, last.View.Direction, last.View.PodAddress, last.View.RemoteIdentity, last.View.PolicyPort));
        Assert.Equal(Ingress, L7LbPolicy.Judge(Resolve(only: true), Endpoint, opaque: true, policy.Current).Side!.PodAddress); // records name the client's
        Set(new NetworkPolicyConfig("5", 5, ["10.1.0.1"], [Port(8080, 100)], []));
        Assert.False(L7LbPolicy.Judge(Resolve(only: true), Endpoint, opaque: true, policy.Current).Verdict.IsAllowed);
        Assert.True(L7LbPolicy.Judge(Resolve(), Endpoint, opaque: true, policy.Current).Verdict.IsAllowed);
    }

    [Theory]
    [InlineData(100u, 201u, 201u, true)]
    [InlineData(101u, 201u, 201u, false)]
    [InlineData(100u, 202u, 201u, false)]
    [InlineData(100u, 201u, 202u, false)]
    public void AnyRefusal_Refuses(uint ingress, uint egress, uint pod, bool allowed)
    {
        policy.Set(
            [new NetworkPolicyConfig("7", 7, [Pod], [], [Port(8080, pod)]), new NetworkPolicyConfig("9", 9, [Ingress], [Port(80, ingress)], [Port(8080, egress)])],
            (100, Pod), (201, "10.1.0.1"), (8, Ingress));
        Assert.Equal(allowed, L7LbPolicy.Judge(Resolve(), Endpoint, opaque: true, policy.Current).Verdict.IsAllowed);
        // Without an endpoint only the client's side can be judged.
        Assert.Equal(ingress == 100, L7LbPolicy.JudgeClient(Resolve(), opaque: true, policy.Current).Verdict.IsAllowed);
    }

    private void Set(params NetworkPolicyConfig[] more) => policy.Set(
        [new NetworkPolicyConfig("7", 7, [Pod], [], [Port(8080, 201)]), new NetworkPolicyConfig("9", 9, [Ingress], [Port(80, 100)], [Port(8080, 201)]), .. more],
        (100, Pod), (201, "10.1.0.1"), (8, Ingress));

    private static PortNetworkPolicyConfig Port(uint port, uint remote) => new(port, 0, PolicyProtocol.Tcp, [PolicyFixture.Remote(remote)]);

    private ConnectionMetadata Resolve(bool only = false) => new BpfMetadata
    {
        Direction = TrafficDirection.Egress, ProxyId = 3, UseOriginalSourceAddress = false, IsL7Lb = true, MarkUpstream = true, IsOnlyDatapath = only,
        Ipv4SourceAddress = IPAddress.Parse(Ingress), EnforcePolicyOnL7Lb = true, Policy = policy,
    }.Resolve(IPEndPoint.Parse("10.0.0.1:4000"), IPEndPoint.Parse("10.100.0.1:80"), "");
}
