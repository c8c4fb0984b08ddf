using System.Linq;
using System.Net;
using Postern.Proxy.Upstream;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Discovery;

public sealed class EndpointSetTests
{
    [Fact]
    public void LowestPriorityWithAUsableEndpoint_GetsEverything()
    {
        var set = EndpointSet.Of([At(1, priority: 0, usable: false), At(2, priority: 1), At(3, priority: 1), At(4, priority: 2)]);

        Assert.Equal([2, 3, 2, 3], Picks(set, 4));
    }

    [Fact]
    public void NoUsableEndpoint_PicksNothing() => Assert.Null(EndpointSet.Of([At(1, usable: false)]).Pick());

    [Fact]
    public void Weights_ShareTheTurnsEvenly()
    {
        var set = EndpointSet.Of([At(1, weight: 3), At(2, weight: 1)]);

        var picks = Picks(set, 4000);
        Assert.InRange(picks.Count(port => port == 1), 2990, 3010);
        Assert.DoesNotContain(Enumerable.Range(0, 3990), i => picks.Skip(i).Take(8).All(port => port == 1)); // spread, not in runs
    }

    [Fact]
    public void HugeWeights_DoNotOverflow()
    {
        var picks = Picks(EndpointSet.Of([At(1, weight: uint.MaxValue), At(2, weight: uint.MaxValue - 1)]), 1000);

        Assert.InRange(picks.Count(port => port == 1), 490, 510);
    }

    [Fact]
    public void UnixSockets_AreEndpointsToo() =>
        Assert.IsType<System.Net.Sockets.UnixDomainSocketEndPoint>(EndpointSet.Of([new LbEndpointConfig(new System.Net.Sockets.UnixDomainSocketEndPoint("/run/x"), 0, 1, true)]).Pick());

    private static LbEndpointConfig At(int port, uint priority = 0, uint weight = 1, bool usable = true) =>
        new(new IPEndPoint(IPAddress.Loopback, port), priority, weight, usable);

    private static int[] Picks(EndpointSet set, int turns) => [.. Enumerable.Range(0, turns).Select(_ => ((IPEndPoint)set.Pick()!).Port)];
}
