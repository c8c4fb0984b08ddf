using System.Linq;
using System.Net;
using Cilium;
using Postern.Agent.Compile;
using Postern.Agent.Steer;
using Postern.Policy;

namespace Postern.Tests.Agent.Steer;

public sealed class SteeringPlanTests
{
    [Fact]
    public void BothFamilies_EachAddressHasItsRule() =>
        Assert.Equal(
            ["to=10.0.0.1/32,port=80,proxy-port=10001", "to=fd00::1/128,port=80,proxy-port=10001"],
            Plan(Endpoint(["10.0.0.1", "fd00::1"], new Redirect(TrafficDirection.Ingress, 80, 80, RedirectKind.Tcp))));

    [Fact]
    public void Egress_IsKnownBySourceAndInterface() =>
        Assert.Equal(
            ["port=1-65535,from=10.0.0.1/32,in=lxc1,proxy-port=10001"],
            Plan(Endpoint(["10.0.0.1"], new Redirect(TrafficDirection.Egress, 1, 65535, RedirectKind.Tcp))));

    [Fact]
    public void Order_PairsThenEgressThenIngress() =>
        Assert.Equal(
            [
                "to=10.0.0.9/32,port=80,from=10.0.0.1/32,in=lxc1,proxy-port=10001",
                "port=1-65535,from=10.0.0.1/32,in=lxc1,proxy-port=10001",
                "to=10.0.0.1/32,port=80,proxy-port=10001",
            ],
            Plan(Endpoint(
                ["10.0.0.1"],
                new Redirect(TrafficDirection.Ingress, 80, 80, RedirectKind.Tcp),
                new Redirect(TrafficDirection.Egress, 80, 80, RedirectKind.Http, null, IPAddress.Parse("10.0.0.9")),
                new Redirect(TrafficDirection.Egress, 1, 65535, RedirectKind.Tcp))));

    [Fact]
    public void PeerOfTheOtherFamily_GivesNoRule() =>
        Assert.Equal(
            ["to=fd00::9/128,port=80,from=fd00::1/128,in=lxc1,proxy-port=10001"],
            Plan(Endpoint(["10.0.0.1", "fd00::1"], new Redirect(TrafficDirection.Egress, 80, 80, RedirectKind.Http, null, IPAddress.Parse("fd00::9")))));

    [Fact]
    public void ListenerWithoutPort_TrafficIsSteeredToNobody()
    {
        var endpoint = Endpoint(["10.0.0.1"], new Redirect(TrafficDirection.Ingress, 80, 80, RedirectKind.Tcp, "ns/cec/gone"));

        var rule = Assert.Single(SteeringPlan.Of([endpoint], _ => null));

        Assert.Equal(SteeringPlan.NobodyListens, rule.ProxyPort);
    }

    private static string[] Plan(CompiledEndpoint endpoint) => [.. SteeringPlan.Of([endpoint], _ => 10001).Select(rule => rule.ToString())];

    private static CompiledEndpoint Endpoint(string[] addresses, params Redirect[] redirects) => new()
    {
        Id = 1,
        Name = "default/a",
        Identity = 1000,
        Labels = [],
        Addresses = [.. addresses.Select(IPAddress.Parse)],
        Interface = "lxc1",
        Policy = new NetworkPolicy(),
        IngressEnforced = true,
        EgressEnforced = true,
        Redirects = redirects,
    };
}
