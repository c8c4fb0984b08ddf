using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Serve;
using Postern.Grpc;
using Postern.Xds.Discovery;
using static Postern.Tests.Agent.Serve.World;

namespace Postern.Tests.Agent.Serve;

public sealed class BoundsTests
{
    private static readonly ResourceType Policies = ResourceType.NetworkPolicy;

    [Fact]
    public async Task StreamBeyondTheLimit_IsRefusedAndPlaceIsFreeAgain()
    {
        await using var server = new ResourceServer(new ResourceServerOptions { MaxStreams = 1 });
        var first = server.Open(Policies);
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(server.Open(Policies).EndAsync)).StatusCode);
        await first.CloseAsync();
        await server.Open(Policies).SendAsync(First());
        Assert.Equal((2, 1), (server.ReadCounters().StreamsOpened, server.ReadCounters().StreamsRefused));
    }

    [Fact]
    public async Task RequestBeyondTheLimit_EndsTheStream()
    {
        await using var server = new ResourceServer(new ResourceServerOptions { MaxRequestBytes = 1000, MaxNames = 5 });
        var large = server.Open(Policies);
        large.Post(First("", new string('n', 1000)));
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(large.EndAsync)).StatusCode);
        var many = server.OpenDelta(Policies);
        many.Post(new DeltaDiscoveryRequest { Node = Node(), ResourceNamesSubscribe = { "1", "2", "3", "4", "5", "6" } });
        Assert.Equal(StatusCode.ResourceExhausted, (await Assert.ThrowsAsync<RpcException>(many.EndAsync)).StatusCode);
    }

    [Fact]
    public async Task Responses_ShareTheResourcesBytes()
    {
        await using var server = new ResourceServer();
        server.Publish(Policies, Enumerable.Range(1, 10_000).ToDictionary(id => $"{id}", id => Set(Policies, $"{id}").Values.Single()));
        var responses = new List<DiscoveryResponse>();
        for (var i = 0; i < 2; i++)
        {
            var stream = server.Open(Policies);
            await stream.SendAsync(First());
            responses.Add(await stream.ReadAsync());
        }
        Assert.Equal(10_000, responses[0].Resources.Count);
        Assert.Same(responses[0], responses[1]);
    }

    [Fact]
    public async Task ResourceOfAnotherType_IsNotPublished()
    {
        await using var server = new ResourceServer();
        var wrong = new Dictionary<string, Any> { ["1"] = new() { TypeUrl = ResourceType.Listener.TypeUrl } };
        Assert.Throws<System.ArgumentException>(() => server.Publish(Policies, wrong));
        await Task.CompletedTask;
    }

    [Fact]
    public async Task AckOfAStreamThatIsGone_CountsNoMore()
    {
        await using var server = new ResourceServer();
        var version = server.Publish(Policies, Set(Policies, "1"));
        var stream = server.Open(Policies);
        await stream.SendAsync(First());
        await stream.SendAsync(Ack(await stream.ReadAsync()));
        Assert.Equal(AckOutcome.Acked, (await server.PeekAsync(Policies, version)).Outcome);
        await stream.CutAsync();
        Assert.Empty(server.ReadStatus());
        Assert.Equal(AckOutcome.TimedOut, (await server.PeekAsync(Policies, version)).Outcome);
    }

    [Fact]
    public async Task OtherNode_IsServedButNotWaitedFor()
    {
        await using var server = new ResourceServer();
        var version = server.Publish(Policies, Set(Policies, "1"));
        var other = server.Open(Policies);
        await other.SendAsync(new DiscoveryRequest { Node = Node("host~127.0.0.2~no-id~localdomain") });
        await other.SendAsync(Ack(await other.ReadAsync()));
        Assert.Equal(AckOutcome.TimedOut, (await server.PeekAsync(Policies, version)).Outcome);
    }

    [Fact]
    public async Task SecondStreamOfTheNode_MustAckToo()
    {
        await using var server = new ResourceServer();
        var version = server.Publish(Policies, Set(Policies, "1"));
        var one = server.Open(Policies);
        var two = server.Open(Policies);
        await one.SendAsync(First());
        await two.SendAsync(First());
        await one.SendAsync(Ack(await one.ReadAsync()));
        Assert.Equal(AckOutcome.TimedOut, (await server.PeekAsync(Policies, version)).Outcome);
        var wait = server.WaitAsync(Policies, version);
        await two.CloseAsync();
        Assert.Equal(AckOutcome.Acked, (await wait).Outcome);
    }

    [Fact]
    public async Task Stop_EndsStreamsAndWaits()
    {
        var server = new ResourceServer();
        var version = server.Publish(Policies, Set(Policies, "1"));
        var stream = server.Open(Policies);
        await stream.SendAsync(First());
        var wait = server.WaitAsync(Policies, version);
        await server.DisposeAsync();
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(stream.EndAsync)).StatusCode);
        Assert.Equal(AckOutcome.TimedOut, (await wait).Outcome);
    }
}
