using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Envoy.Service.Discovery.V3;
using Google.Rpc;
using Postern.Agent.Serve;
using Postern.Xds.Discovery;
using static Postern.Tests.Agent.Serve.World;

namespace Postern.Tests.Agent.Serve;

public sealed class DeltaStreamTests : System.IAsyncDisposable
{
    private static readonly ResourceType Policies = ResourceType.NetworkPolicy;
    private readonly ResourceServer server = new();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Wildcard_GetsAllThenOnlyWhatChanged()
    {
        server.Publish(Policies, Set(Policies, "1", "2", "3"));
        var stream = server.OpenDelta(Policies);
        await stream.SendAsync(Ask());
        var first = await stream.ReadAsync();
        Assert.Equal(["1", "2", "3"], Names(first));
        await stream.SendAsync(Answer(first));
        server.Publish(Policies, Set(Policies, "1", "2=new", "4"));
        var second = await stream.ReadAsync();
        Assert.Equal(["2", "4"], Names(second));
        Assert.Equal(["3"], second.RemovedResources);
        await stream.SendAsync(Answer(second));
        Assert.Equal(AckOutcome.Acked, (await server.PeekAsync(Policies, 2)).Outcome);
    }

    [Fact]
    public async Task EmptyWildcard_IsAnswered()
    {
        server.Publish(Policies, Set(Policies));
        var stream = server.OpenDelta(Policies);
        await stream.SendAsync(Ask());
        Assert.Empty((await stream.ReadAsync()).Resources);
    }

    [Fact]
    public async Task Nack_IsNotRepeatedUntilTheNextChange()
    {
        var version = server.Publish(Policies, Set(Policies, "1=bad"));
        var stream = server.OpenDelta(Policies);
        await stream.SendAsync(Ask());
        var refused = Answer(await stream.ReadAsync());
        refused.ErrorDetail = new Status { Code = 13, Message = "no" };
        await stream.SendAsync(refused);
        Assert.Equal(new AckResult(AckOutcome.Nacked, "no"), await server.PeekAsync(Policies, version));
        stream.AssertSilent();
        server.Publish(Policies, Set(Policies, "1=good"));
        Assert.Equal(["1"], Names(await stream.ReadAsync()));
    }

    [Fact]
    public async Task Reconnect_BringsWhatIsHeldAndGetsTheRest()
    {
        server.Publish(Policies, Set(Policies, "1", "2"));
        var before = server.OpenDelta(Policies);
        await before.SendAsync(Ask());
        var held = (await before.ReadAsync()).Resources.ToDictionary(resource => resource.Name, resource => resource.Version);
        held["gone"] = held["1"];

        // Another agent with other numbers: versions of resources are digests of what they hold.
        await using var restarted = new ResourceServer();
        restarted.Publish(Policies, Set(Policies, "1"));
        restarted.Publish(Policies, Set(Policies, "1", "2=new"));
        var stream = restarted.OpenDelta(Policies);
        var request = Ask();
        request.InitialResourceVersions.Add(held);
        await stream.SendAsync(request);
        var response = await stream.ReadAsync();
        Assert.Equal(["2"], Names(response));
        Assert.Equal(["gone"], response.RemovedResources);
    }

    [Fact]
    public async Task Names_AreAddedSentAgainAndDropped()
    {
        var type = ResourceType.Secret;
        server.Publish(type, Set(type, "a", "b"));
        var stream = server.OpenDelta(type);
        await stream.SendAsync(Ask("a", "missing"));
        var first = await stream.ReadAsync();
        Assert.Equal(["a"], Names(first));
        Assert.Equal(["missing"], first.RemovedResources);
        await stream.SendAsync(Answer(first));
        await stream.SendAsync(new DeltaDiscoveryRequest { ResourceNamesSubscribe = { "a", "b" } });
        var second = await stream.ReadAsync();
        Assert.Equal(["a", "b"], Names(second));
        await stream.SendAsync(Answer(second));
        await stream.SendAsync(new DeltaDiscoveryRequest { ResourceNamesUnsubscribe = { "a" } });
        server.Publish(type, Set(type, "a=new", "b=new", "missing"));
        Assert.Equal(["b", "missing"], Names(await stream.ReadAsync()));
    }

    [Fact]
    public async Task UnsubscribeUnderAWildcard_IsToldThatItStays()
    {
        server.Publish(Policies, Set(Policies, "1", "2"));
        var stream = server.OpenDelta(Policies);
        await stream.SendAsync(Ask("*", "1"));
        await stream.SendAsync(Answer(await stream.ReadAsync()));
        await stream.SendAsync(new DeltaDiscoveryRequest { ResourceNamesUnsubscribe = { "1", "missing" } });
        var response = await stream.ReadAsync();
        Assert.Equal(["1"], Names(response));
        Assert.Equal(["missing"], response.RemovedResources);
    }

    [Fact]
    public async Task FirstListeners_WaitForClustersHereToo()
    {
        server.Publish(ResourceType.Cluster, Set(ResourceType.Cluster));
        server.Publish(ResourceType.Listener, Set(ResourceType.Listener, "l"));
        var listeners = server.OpenDelta(ResourceType.Listener);
        await listeners.SendAsync(Ask());
        listeners.AssertSilent();
        var clusters = server.OpenDelta(ResourceType.Cluster);
        await clusters.SendAsync(Ask());
        await clusters.SendAsync(Answer(await clusters.ReadAsync()));
        Assert.Equal(["l"], Names(await listeners.ReadAsync()));
    }

    private static DeltaDiscoveryRequest Ask(params string[] names) => new() { Node = Node(), ResourceNamesSubscribe = { names } };

    private static DeltaDiscoveryRequest Answer(DeltaDiscoveryResponse response) => new() { ResponseNonce = response.Nonce };

    private static IEnumerable<string> Names(DeltaDiscoveryResponse response) => response.Resources.Select(resource => resource.Name).Order();
}
