using System.Linq;
using System.Threading.Tasks;
using Envoy.Service.Discovery.V3;
using Postern.Agent.Serve;
using Postern.Grpc;
using Postern.Xds.Discovery;
using static Postern.Tests.Agent.Serve.World;

namespace Postern.Tests.Agent.Serve;

public sealed class AggregatedStreamTests : System.IAsyncDisposable
{
    private readonly ResourceServer server = new();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task SeveralTypes_ShareTheStream()
    {
        server.Publish(ResourceType.Cluster, Set(ResourceType.Cluster, "c"));
        server.Publish(ResourceType.Listener, Set(ResourceType.Listener, "l"));
        var stream = server.Open(null);
        await stream.SendAsync(Ask(ResourceType.Cluster));
        var clusters = await stream.ReadAsync();
        await stream.SendAsync(Ask(ResourceType.Listener));
        var listeners = await stream.ReadAsync();
        Assert.Equal((ResourceType.Cluster.TypeUrl, ResourceType.Listener.TypeUrl), (clusters.TypeUrl, listeners.TypeUrl));
        await stream.SendAsync(Ack(clusters));
        await stream.SendAsync(Nack(listeners, "", "no such filter"));
        Assert.Equal(AckOutcome.Acked, (await server.PeekAsync(ResourceType.Cluster, 1)).Outcome);
        Assert.Equal(new AckResult(AckOutcome.Nacked, "no such filter"), await server.PeekAsync(ResourceType.Listener, 1));
    }

    [Fact]
    public async Task NewName_IsAnsweredAtOnce()
    {
        var type = ResourceType.Endpoint;
        server.Publish(type, Set(type, "a", "b"));
        var stream = server.Open(null);
        await stream.SendAsync(Ask(type, "a"));
        var first = await stream.ReadAsync();
        await stream.SendAsync(Ack(first, "a"));
        await stream.SendAsync(Ack(first, "a", "b"));
        var second = await stream.ReadAsync();
        Assert.Equal(["a", "b"], second.Contents());
        Assert.Equal(first.VersionInfo, second.VersionInfo);
        Assert.NotEqual(first.Nonce, second.Nonce);
    }

    [Fact]
    public async Task StaleNonce_IsPassedOver()
    {
        var type = ResourceType.Endpoint;
        server.Publish(type, Set(type, "a"));
        var stream = server.Open(null);
        await stream.SendAsync(Ask(type, "a"));
        var first = await stream.ReadAsync();
        await stream.SendAsync(Ack(first, "a"));
        server.Publish(type, Set(type, "a=new"));
        var second = await stream.ReadAsync();
        await stream.SendAsync(Ack(first, "a"));
        Assert.Equal(AckOutcome.TimedOut, (await server.PeekAsync(type, 2)).Outcome);
        await stream.SendAsync(Ack(second, "a"));
        Assert.Equal(AckOutcome.Acked, (await server.PeekAsync(type, 2)).Outcome);
    }

    [Fact]
    public async Task EmptyListAfterNames_IsNoWildcard()
    {
        var type = ResourceType.Secret;
        server.Publish(type, Set(type, "a", "b"));
        var stream = server.Open(null);
        await stream.SendAsync(Ask(type, "a"));
        await stream.SendAsync(Ack(await stream.ReadAsync()));
        var version = server.Publish(type, Set(type, "a=new", "b=new"));
        Assert.Equal(AckOutcome.Acked, (await server.WaitAsync(type, version)).Outcome);
        stream.AssertSilent();
    }

    [Fact]
    public async Task TypeOfOthers_GetsNoAnswer()
    {
        server.Publish(ResourceType.Cluster, Set(ResourceType.Cluster, "c"));
        var stream = server.Open(null);
        await stream.SendAsync(new DiscoveryRequest { Node = Node(), TypeUrl = "type.googleapis.com/envoy.service.runtime.v3.Runtime" });
        stream.AssertSilent();
        await stream.SendAsync(Ask(ResourceType.Cluster));
        Assert.Equal("c", (await stream.ReadAsync()).Contents().Single());
    }

    [Fact]
    public async Task RequestWithoutType_EndsTheStream()
    {
        var stream = server.Open(null);
        stream.Post(First());
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(stream.EndAsync)).StatusCode);
    }

    private static DiscoveryRequest Ask(ResourceType type, params string[] names) => new() { Node = Node(), TypeUrl = type.TypeUrl, ResourceNames = { names } };
}
