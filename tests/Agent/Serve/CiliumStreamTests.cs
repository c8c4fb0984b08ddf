using System.Linq;
using System.Threading.Tasks;
using Envoy.Service.Discovery.V3;
using Postern.Agent.Serve;
using Postern.Grpc;
using StatusCode = Postern.Grpc.StatusCode;
using Postern.Xds.Discovery;
using static Postern.Tests.Agent.Serve.World;

namespace Postern.Tests.Agent.Serve;

/// <summary>The separate streams, one test per sentence of how Cilium's agent serves them.</summary>
public sealed class CiliumStreamTests : System.IAsyncDisposable
{
    private static readonly ResourceType Policies = ResourceType.NetworkPolicy;
    private readonly ResourceServer server = new();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    public static TheoryData<string> Types => [.. ResourceType.All.Select(type => type.ShortName)];

    [Theory]
    [MemberData(nameof(Types))]
    public async Task FirstRequest_IsAnsweredWithVersionAsNonce(string name)
    {
        var type = ResourceType.All.Single(type => type.ShortName == name);
        server.Publish(ResourceType.Cluster, Set(ResourceType.Cluster));
        var clusters = server.Open(ResourceType.Cluster);
        await clusters.SendAsync(First());
        await clusters.SendAsync(Ack(await clusters.ReadAsync()));
        var version = server.Publish(type, Set(type, "a"));
        var stream = server.Open(type);
        await stream.SendAsync(First());
        var response = await stream.ReadAsync();
        Assert.Equal(type.TypeUrl, response.TypeUrl);
        Assert.Equal(version.ToString(), response.VersionInfo);
        Assert.Equal(response.VersionInfo, response.Nonce);
        Assert.Equal(["a"], response.Contents());
    }

    [Fact]
    public async Task FirstRequestWithoutNode_EndsTheStream() =>
        await AssertEndsAsync(new DiscoveryRequest(), "node");

    [Theory]
    [InlineData("")]
    [InlineData("starwars-demo")]
    [InlineData("host~127.0.0.1~no-id")]
    [InlineData("host~127.0.0.1~no-id~local~domain")]
    [InlineData("host~localhost~no-id~localdomain")]
    [InlineData("host~1~no-id~localdomain")]
    public async Task NodeIdOfAnotherForm_EndsTheStream(string id) =>
        await AssertEndsAsync(new DiscoveryRequest { Node = Node(id) }, "node.id");

    [Fact]
    public async Task LaterRequest_NeedsNoNode()
    {
        server.Publish(Policies, Set(Policies, "1"));
        var stream = server.Open(Policies);
        await stream.SendAsync(First());
        var ack = Ack(await stream.ReadAsync());
        Assert.Null(ack.Node);
        await stream.SendAsync(ack);
        Assert.Equal(1ul, Assert.Single(server.ReadStatus()).Acked);
    }

    [Fact]
    public async Task EmptyTypeUrl_TakesTheStreams()
    {
        server.Publish(Policies, Set(Policies, "1"));
        var stream = server.Open(Policies);
        await stream.SendAsync(First());
        Assert.Equal(Policies.TypeUrl, (await stream.ReadAsync()).TypeUrl);
    }

    [Fact]
    public async Task AnotherTypeUrl_EndsTheStream() =>
        await AssertEndsAsync(new DiscoveryRequest { Node = Node(), TypeUrl = ResourceType.Listener.TypeUrl }, "type_url");

    [Theory]
    [InlineData("one", "")]
    [InlineData("-1", "")]
    [InlineData("1.0", "")]
    [InlineData("18446744073709551615", "")]
    [InlineData("", "x")]
    public async Task WhatIsNoNumber_EndsTheStream(string version, string nonce) =>
        await AssertEndsAsync(new DiscoveryRequest { Node = Node(), VersionInfo = version, ResponseNonce = nonce }, version.Length > 0 ? "version_info" : "response_nonce");

    [Fact]
    public async Task VersionAboveNonce_EndsTheStream()
    {
        server.Publish(Policies, Set(Policies, "1"));
        var stream = server.Open(Policies);
        await stream.SendAsync(First());
        await stream.ReadAsync();
        stream.Post(new DiscoveryRequest { VersionInfo = "2", ResponseNonce = "1" });
        var end = await Assert.ThrowsAsync<RpcException>(stream.EndAsync);
        Assert.Equal(StatusCode.InvalidArgument, end.StatusCode);
        Assert.Contains("invalid response nonce", end.Status.Detail);
    }

    [Fact]
    public async Task NonceThatWasNeverSent_EndsTheStream()
    {
        server.Publish(Policies, Set(Policies, "1"));
        var stream = server.Open(Policies);
        await stream.SendAsync(First());
        await stream.ReadAsync();
        stream.Post(new DiscoveryRequest { VersionInfo = "1", ResponseNonce = "7" });
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(stream.EndAsync)).StatusCode);
    }

    [Fact]
    public async Task Ack_EndsTheWait()
    {
        var version = server.Publish(Policies, Set(Policies, "1"));
        var stream = server.Open(Policies);
        await stream.SendAsync(First());
        var response = await stream.ReadAsync();
        Assert.Equal(AckOutcome.TimedOut, (await server.PeekAsync(Policies, version)).Outcome);
        var wait = server.WaitAsync(Policies, version);
        await stream.SendAsync(Ack(response));
        Assert.Equal(new AckResult(AckOutcome.Acked, ""), await wait);
        Assert.Equal(AckOutcome.Acked, (await server.PeekAsync(Policies, version)).Outcome);
    }

    [Theory]
    [InlineData("", "bad field")]
    [InlineData("1", "same version, marked by error_detail alone")]
    public async Task Nack_EndsTheWaitWithItsText(string accepted, string text)
    {
        var version = server.Publish(Policies, Set(Policies, "1"));
        var stream = server.Open(Policies);
        await stream.SendAsync(First());
        var wait = server.WaitAsync(Policies, version);
        await stream.SendAsync(Nack(await stream.ReadAsync(), accepted, text));
        Assert.Equal(new AckResult(AckOutcome.Nacked, text), await wait);
        var status = Assert.Single(server.ReadStatus());
        Assert.Equal((1ul, 0ul, text), (status.Sent, status.Acked, status.LastNack));
        Assert.NotNull(status.LastNackAt);
    }

    [Fact]
    public async Task LowerVersionWithoutErrorDetail_IsANackToo()
    {
        var version = server.Publish(Policies, Set(Policies, "1"));
        var stream = server.Open(Policies);
        await stream.SendAsync(First());
        await stream.ReadAsync();
        await stream.SendAsync(new DiscoveryRequest { ResponseNonce = "1" });
        Assert.Equal(AckOutcome.Nacked, (await server.PeekAsync(Policies, version)).Outcome);
    }

    [Fact]
    public async Task AfterANack_NothingIsSentUntilTheNextChange()
    {
        server.Publish(Policies, Set(Policies, "1=bad"));
        var stream = server.Open(Policies);
        await stream.SendAsync(First());
        var refused = await stream.ReadAsync();
        await stream.SendAsync(Nack(refused, "", "no"));
        await stream.SendAsync(Nack(refused, "", "no"));
        server.Publish(Policies, Set(Policies, "1=bad"));
        stream.AssertSilent();
        server.Publish(Policies, Set(Policies, "1=good"));
        var next = await stream.ReadAsync();
        Assert.Equal(("2", "good"), (next.VersionInfo, next.Contents().Single()));
        await stream.SendAsync(Ack(next));
        Assert.Equal(AckOutcome.Acked, (await server.PeekAsync(Policies, 2)).Outcome);
    }

    [Fact]
    public async Task Responses_WaitForTheAnswerToTheLastOne()
    {
        server.Publish(Policies, Set(Policies, "1=a"));
        var stream = server.Open(Policies);
        await stream.SendAsync(First());
        var first = await stream.ReadAsync();
        server.Publish(Policies, Set(Policies, "1=b"));
        server.Publish(Policies, Set(Policies, "1=c"));
        await stream.SendAsync(new DiscoveryRequest { ResponseNonce = "0" }); // stale: is no answer
        stream.AssertSilent();
        await stream.SendAsync(Ack(first));
        var next = await stream.ReadAsync();
        Assert.Equal(("3", "c"), (next.VersionInfo, next.Contents().Single()));
        stream.AssertSilent();
    }

    [Fact]
    public async Task EqualContent_ChangesNothing()
    {
        var version = server.Publish(Policies, Set(Policies, "1", "2"));
        Assert.Equal(version, server.Publish(Policies, Set(Policies, "2", "1")));
        Assert.Equal(version + 1, server.Publish(Policies, Set(Policies, "2")));
        Assert.Equal(version + 2, server.Publish(Policies, Set(Policies, "2=other")));
        await Task.CompletedTask;
    }

    [Fact]
    public async Task TypeThatWasNeverPublished_IsNotAnswered()
    {
        var stream = server.Open(Policies);
        await stream.SendAsync(First("4"));
        stream.AssertSilent();
        server.Publish(Policies, Set(Policies));
        var response = await stream.ReadAsync();
        Assert.Equal("5", response.VersionInfo);
        Assert.Empty(response.Resources);
    }

    [Fact]
    public async Task Reconnect_LiftsTheVersionAndIsAnsweredAtOnce()
    {
        var version = server.Publish(Policies, Set(Policies, "1"));
        var steady = server.Open(Policies);
        await steady.SendAsync(First());
        await steady.SendAsync(Ack(await steady.ReadAsync()));
        var stream = server.Open(Policies);
        await stream.SendAsync(First("41"));
        var response = await stream.ReadAsync();
        Assert.Equal(("42", "42"), (response.VersionInfo, response.Nonce));
        await stream.SendAsync(Ack(response));
        Assert.Equal(AckOutcome.Acked, (await server.WaitAsync(Policies, 42)).Outcome);
        steady.AssertSilent(); // nothing changed for it
        Assert.Equal(version, server.Publish(Policies, Set(Policies, "1")));
        Assert.Equal(43ul, server.Publish(Policies, Set(Policies, "1=new")));
    }

    [Fact]
    public async Task NamedSubscription_GetsThoseFound()
    {
        var type = ResourceType.Secret;
        server.Publish(type, Set(type, "a", "b", "c"));
        var stream = server.Open(type);
        await stream.SendAsync(First("", "a", "c", "missing"));
        Assert.Equal(["a", "c"], (await stream.ReadAsync()).Contents());
    }

    [Fact]
    public async Task NamedSubscription_IsAnsweredWhenOneChanged()
    {
        var type = ResourceType.Secret;
        server.Publish(type, Set(type, "a", "b"));
        var stream = server.Open(type);
        await stream.SendAsync(First("", "a"));
        await stream.SendAsync(Ack(await stream.ReadAsync(), "a"));
        var other = server.Publish(type, Set(type, "a", "b=new"));
        Assert.Equal(AckOutcome.Acked, (await server.WaitAsync(type, other)).Outcome);
        stream.AssertSilent();
        server.Publish(type, Set(type, "a=new", "b=new"));
        var response = await stream.ReadAsync();
        Assert.Equal(("3", "new"), (response.VersionInfo, response.Contents().Single()));
    }

    [Fact]
    public async Task NamedSubscription_IsAnsweredWhenOneIsMissingAndTheVersionMoved()
    {
        var type = ResourceType.Secret;
        server.Publish(type, Set(type, "a"));
        var stream = server.Open(type);
        await stream.SendAsync(First("", "a", "missing"));
        await stream.SendAsync(Ack(await stream.ReadAsync(), "a", "missing"));
        stream.AssertSilent();
        server.Publish(type, Set(type, "a", "unrelated"));
        Assert.Equal(["a"], (await stream.ReadAsync()).Contents());
    }

    [Fact]
    public async Task ChangedNameList_IsAnsweredWhenTheVersionMoves()
    {
        var type = ResourceType.Secret;
        server.Publish(type, Set(type, "a", "b"));
        var stream = server.Open(type);
        await stream.SendAsync(First("", "a"));
        var first = await stream.ReadAsync();
        await stream.SendAsync(Ack(first, "a"));
        await stream.SendAsync(Ack(first, "a", "b"));
        stream.AssertSilent();
        server.Publish(type, Set(type, "a", "b", "c"));
        Assert.Equal(["a", "b"], (await stream.ReadAsync()).Contents());
    }

    [Fact]
    public async Task FirstListeners_WaitForTheNodesAckOfClusters()
    {
        server.Publish(ResourceType.Cluster, Set(ResourceType.Cluster));
        server.Publish(ResourceType.Listener, Set(ResourceType.Listener, "l"));
        var listeners = server.Open(ResourceType.Listener);
        await listeners.SendAsync(First());
        var elsewhere = server.Open(ResourceType.Cluster);
        await elsewhere.SendAsync(new DiscoveryRequest { Node = Node("host~127.0.0.2~no-id~localdomain") });
        await elsewhere.SendAsync(Ack(await elsewhere.ReadAsync()));
        var clusters = server.Open(ResourceType.Cluster);
        await clusters.SendAsync(First());
        var response = await clusters.ReadAsync();
        await listeners.SendAsync(First());
        listeners.AssertSilent();
        await clusters.SendAsync(Ack(response));
        Assert.Equal(["l"], (await listeners.ReadAsync()).Contents());
    }

    [Fact]
    public async Task FirstHosts_ComeAtOnce()
    {
        server.Publish(ResourceType.NetworkPolicyHosts, Set(ResourceType.NetworkPolicyHosts, "2"));
        var stream = server.Open(ResourceType.NetworkPolicyHosts);
        await stream.SendAsync(First());
        Assert.Single((await stream.ReadAsync()).Resources);
    }

    [Fact]
    public async Task FirstHostsWithCiliumsQuirk_ComeAfterAnAckOfNothing()
    {
        await using var quirky = new ResourceServer(new ResourceServerOptions { CiliumNphdsQuirk = true });
        var version = quirky.Publish(ResourceType.NetworkPolicyHosts, Set(ResourceType.NetworkPolicyHosts, "2"));
        var stream = quirky.Open(ResourceType.NetworkPolicyHosts);
        await stream.SendAsync(First());
        var empty = await stream.ReadAsync();
        Assert.Empty(empty.Resources);
        await stream.SendAsync(Ack(empty));
        Assert.Equal(AckOutcome.TimedOut, (await quirky.PeekAsync(ResourceType.NetworkPolicyHosts, version)).Outcome);
        var full = await stream.ReadAsync();
        Assert.Equal("2", full.Contents().Single());
        Assert.NotEqual(empty.Nonce, full.Nonce);
        await stream.SendAsync(Ack(full));
        Assert.Equal(AckOutcome.Acked, (await quirky.WaitAsync(ResourceType.NetworkPolicyHosts, version)).Outcome);
    }

    private async Task AssertEndsAsync(DiscoveryRequest request, string word)
    {
        server.Publish(Policies, Set(Policies, "1"));
        var stream = server.Open(Policies);
        stream.Post(request);
        var end = await Assert.ThrowsAsync<RpcException>(stream.EndAsync);
        Assert.Equal(StatusCode.InvalidArgument, end.StatusCode);
        Assert.Contains(word, end.Status.Detail);
        stream.AssertSilent();
        Assert.Empty(server.ReadStatus());
        Assert.Equal(1, server.ReadCounters().StreamsFailed);
    }
}
