using System;
using System.Linq;
using System.Threading.Tasks;
using Postern.Grpc;
using Postern.Policy;
using Postern.Xds.Discovery;

namespace Postern.Tests.Xds.Discovery;

/// <summary>Streams, order, time-outs and reconnects, against a control plane in memory.</summary>
public sealed class DiscoveryClientTests
{
    private static readonly TimeSpan Half = TimeSpan.FromMilliseconds(500);
    private static readonly ResourceType Lds = ResourceType.Listener, Cds = ResourceType.Cluster, Eds = ResourceType.Endpoint, Npds = ResourceType.NetworkPolicy;

    [Fact]
    public async Task Stream_FirstRequest_HasTheNodeAndLaterOnesDoNot()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        using var subscription = x.Client.Subscribe(Npds, ClientFixture.Sotw, [], sink);
        var stream = await x.SotwStreamAsync();
        var first = await stream.RequestAsync();
        Assert.Equal("host~127.0.0.1~no-id~localdomain", first.Node.Id);
        stream.Send(Texts.Sotw(Npds, "1", "1", "7=a"));
        var ack = await stream.RequestAsync();
        Assert.Null(ack.Node);
        Assert.Equal(("1", "1"), (ack.VersionInfo, ack.ResponseNonce));
        Assert.Equal("7=a", sink.Text);
        Assert.Equal("/cilium.NetworkPolicyDiscoveryService/StreamNetworkPolicies", Assert.Single(x.Plane.Methods));
    }

    [Fact]
    public async Task Stream_NodeOnEveryMessage_WhenTheSourceSaysSo()
    {
        await using var x = new ClientFixture();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Sotw with { NodeOnFirstMessageOnly = false }, [], new RecordingSink());
        var stream = await x.SotwStreamAsync();
        Assert.NotNull((await stream.RequestAsync()).Node);
        stream.Send(Texts.Sotw(Cds, "1", "1"));
        Assert.NotNull((await stream.RequestAsync()).Node);
    }

    [Fact]
    public async Task Sotw_RefusedResource_IsNackedAsAWholeAndTheLastGoodStays()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Sotw, [], sink);
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Sotw(Cds, "1", "1", "a=1"));
        await stream.RequestAsync();
        stream.Send(Texts.Sotw(Cds, "2", "2", "a=2", "b=bad"));
        var nack = await stream.RequestAsync();
        Assert.Equal(("1", "2"), (nack.VersionInfo, nack.ResponseNonce));
        Assert.Contains("value: 'bad' of b is not good; write good", nack.ErrorDetail.Message, StringComparison.Ordinal);
        Assert.Equal("a=1", sink.Text);
        var status = subscription.Status;
        Assert.Equal((1L, 1L, "2", "1"), (status.Accepted, status.Rejected, status.LastNackVersion, status.Version));
        stream.Send(Texts.Sotw(Cds, "3", "3", "a=3"));
        Assert.Equal("3", (await stream.RequestAsync()).VersionInfo);
        Assert.Equal("a=3", sink.Text);
        Assert.Single(x.Log);
    }

    [Fact]
    public async Task Sink_ThatThrows_IsANackAndTheWorkerLivesOn()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink { OnApply = static _ => throw new InvalidOperationException("broken sink") };
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Sotw, [], sink);
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Sotw(Cds, "1", "1", "a=1"));
        Assert.Contains("broken sink", (await stream.RequestAsync()).ErrorDetail.Message, StringComparison.Ordinal);
        sink.OnApply = static _ => [];
        stream.Send(Texts.Sotw(Cds, "2", "2", "a=1"));
        Assert.Null((await stream.RequestAsync()).ErrorDetail);
    }

    [Fact]
    public async Task Stream_TypeOfAnotherStream_IsNackedOnAStreamOfItsOwn()
    {
        await using var x = new ClientFixture();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Sotw, [], new RecordingSink());
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Sotw(Lds, "1", "1", "a=1"));
        Assert.Contains("type_url", (await stream.RequestAsync()).ErrorDetail.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sotw_NamedSubscriptions_HaveAStreamEach()
    {
        await using var x = new ClientFixture();
        RecordingSink a = new(), b = new();
        using var first = x.Client.Subscribe(Eds, ClientFixture.Sotw, ["a"], a);
        var streamOfA = await x.SotwStreamAsync();
        using var second = x.Client.Subscribe(Eds, ClientFixture.Sotw, ["b"], b);
        var streamOfB = await x.SotwStreamAsync();
        Assert.Equal(["a"], (await streamOfA.RequestAsync()).ResourceNames);
        Assert.Equal(["b"], (await streamOfB.RequestAsync()).ResourceNames);
        Assert.Throws<ArgumentException>(() => x.Client.Subscribe(Eds, ClientFixture.Sotw, ["a", "b"], a));
    }

    [Fact]
    public async Task Response_NameNotAskedFor_IsIgnoredSilentlyAndAcked()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        using var subscription = x.Client.Subscribe(Eds, ClientFixture.Sotw, ["a"], sink);
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Sotw(Eds, "1", "1", "a=1", "stranger=1"));
        Assert.Null((await stream.RequestAsync()).ErrorDetail);
        Assert.Equal("a=1", sink.Text);
        Assert.Equal(1, subscription.Status.Resources);
    }

    [Fact]
    public async Task Ads_TypesGoInSubscriptionOrderOnOneStream()
    {
        await using var x = new ClientFixture();
        var gate = x.Client.Pause(Cds);
        using (x.Client.Pause(Lds))
        using (gate)
        {
            x.Client.Subscribe(Cds, ClientFixture.Ads, [], new RecordingSink());
            x.Client.Subscribe(Lds, ClientFixture.Ads, [], new RecordingSink());
        }
        var stream = await x.SotwStreamAsync();
        Assert.Equal(Cds.TypeUrl, (await stream.RequestAsync()).TypeUrl);
        var second = await stream.RequestAsync();
        Assert.Equal(Lds.TypeUrl, second.TypeUrl);
        Assert.Null(second.Node); // once per stream, not per type
        Assert.Equal("/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources", Assert.Single(x.Plane.Methods));
    }

    [Fact]
    public async Task Ads_ResponseOfUnsubscribedType_IsIgnoredWithoutAck()
    {
        await using var x = new ClientFixture();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Ads, [], new RecordingSink());
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Sotw(Lds, "1", "unsolicited", "a=1"));
        stream.Send(Texts.Sotw(Cds, "1", "asked", "a=1"));
        Assert.Equal("asked", (await stream.RequestAsync()).ResponseNonce);
        Assert.Contains(x.Debug, line => line.Contains("nobody asked for", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Ads_PausedType_GoesOutInOneRequest()
    {
        await using var x = new ClientFixture();
        using var cds = x.Client.Subscribe(Cds, ClientFixture.Ads, [], new RecordingSink());
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        using (x.Client.Pause(Eds))
        {
            for (var i = 0; i < 5; i++)
            {
                x.Client.Subscribe(Eds, ClientFixture.Ads, ["e" + i], new RecordingSink());
            }
            stream.Send(Texts.Sotw(Cds, "1", "n1"));
            Assert.Equal("n1", (await stream.RequestAsync()).ResponseNonce); // other types go on
        }
        Assert.Equal(["e0", "e1", "e2", "e3", "e4"], (await stream.RequestAsync()).ResourceNames);
    }

    [Fact]
    public async Task Ads_ResponseForTwoSinks_RefusedByOneIsTakenBackFromTheOther()
    {
        await using var x = new ClientFixture();
        RecordingSink a = new(), b = new();
        using (x.Client.Pause(Eds))
        {
            x.Client.Subscribe(Eds, ClientFixture.Ads, ["a"], a);
            x.Client.Subscribe(Eds, ClientFixture.Ads, ["b"], b);
        }
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Sotw(Eds, "1", "1", "a=1", "b=1"));
        await stream.RequestAsync();
        b.OnApply = static _ => [new ResourceProblem("b", "endpoints[0]", "is refused")];
        stream.Send(Texts.Sotw(Eds, "2", "2", "a=2", "b=2"));
        Assert.Contains("resources[b].endpoints[0]: is refused", (await stream.RequestAsync()).ErrorDetail.Message, StringComparison.Ordinal);
        Assert.Equal(("a=1", "b=1"), (a.Text, b.Text));
    }

    [Fact]
    public async Task Ads_SecondSubscriptionToAHeldName_GetsItWithoutARequest()
    {
        await using var x = new ClientFixture();
        x.Client.Subscribe(Eds, ClientFixture.Ads, ["a"], new RecordingSink());
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Sotw(Eds, "1", "1", "a=1"));
        await stream.RequestAsync();
        var late = new RecordingSink();
        x.Client.Subscribe(Eds, ClientFixture.Ads, ["a"], late);
        await late.UpdateAsync();
        Assert.Equal("a=1", late.Text);
        Assert.Equal(0, stream.Waiting);
    }

    [Fact]
    public async Task Reconnect_CarriesTheVersionWithAnEmptyNonceAndKeepsWhatIsInForce()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        using var subscription = x.Client.Subscribe(Npds, ClientFixture.Sotw, [], sink);
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Sotw(Npds, "41", "41", "7=a"));
        await stream.RequestAsync();
        stream.End(new RpcException(new Status(StatusCode.Unavailable, "gone")));
        await x.PassBackoffAsync(subscription, Half);
        Assert.Equal("7=a", sink.Text);
        stream = await x.SotwStreamAsync();
        var request = await stream.RequestAsync();
        Assert.Equal(("41", ""), (request.VersionInfo, request.ResponseNonce));
        Assert.NotNull(request.Node);
        Assert.Equal(UpdateStream.New, (await sink.UpdateAsync()).Stream);
        stream.Send(Texts.Sotw(Npds, "3", "3", "8=b")); // a restarted agent may count from below
        Assert.Equal("3", (await stream.RequestAsync()).VersionInfo);
        var update = await sink.UpdateAsync();
        Assert.Equal((UpdateStream.New, "8=b"), (update.Stream, sink.Text));
        Assert.Empty(x.Log);
    }

    [Fact]
    public async Task Backoff_DoublesToTheCapAndIsResetByAMessageOnly()
    {
        await using var x = new ClientFixture();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Sotw, [], new RecordingSink());
        foreach (var milliseconds in (int[])[500, 1000, 2000, 4000, 8000, 16000, 30000, 30000])
        {
            (await x.SotwStreamAsync()).End(); // opened, then closed without a message
            await x.PassBackoffAsync(subscription, TimeSpan.FromMilliseconds(milliseconds));
        }
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Sotw(Cds, "1", "1"));
        await stream.RequestAsync();
        stream.End();
        await x.PassBackoffAsync(subscription, Half);
    }

    [Fact]
    public async Task FetchTimeout_RunsOnlyWhileConnectedAndIsReportedOnce()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        x.Plane.Refusal = new RpcException(new Status(StatusCode.Unavailable, "away"));
        using var subscription = x.Client.Subscribe(Eds, ClientFixture.Sotw, ["a"], sink);
        for (var i = 0; i < 6; i++)
        {
            await x.PassBackoffAsync(subscription, Half * Math.Pow(2, i));
        }
        Assert.Equal(0, sink.Timeouts); // more than 15 s have passed
        await ClientFixture.UntilAsync(() => subscription.Status.State == "backoff" && x.Clock.Next() is not null, () => subscription.Status.State);
        x.Plane.Refusal = null;
        x.Clock.Advance(TimeSpan.FromSeconds(30));
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        await ClientFixture.UntilAsync(() => x.Clock.Next() > TimeSpan.FromSeconds(14), () => $"{x.Clock.Next()}");
        x.Clock.Advance(TimeSpan.FromSeconds(16));
        Assert.Equal(["a"], await sink.TimeoutAsync());
        Assert.Equal(1, subscription.Status.FetchTimeouts);
        stream.Send(Texts.Sotw(Eds, "1", "1", "a=1"));
        await stream.RequestAsync();
        Assert.Equal("a=1", sink.Text);
    }

    [Fact]
    public async Task FetchTimeout_OfZero_WaitsForEver()
    {
        await using var x = new ClientFixture();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Sotw with { InitialFetchTimeout = null }, [], new RecordingSink());
        await (await x.SotwStreamAsync()).RequestAsync();
        await ClientFixture.UntilAsync(() => subscription.Status.State == "connected", () => subscription.Status.State);
        Assert.Null(x.Clock.Next());
    }

    [Fact]
    public async Task Ttl_Expiry_ActsLikeARemoval()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Sotw, [], sink);
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        var response = Texts.Sotw(Cds, "1", "1", "b=1");
        response.Resources.Add(Texts.Wrap(Cds, "a", "a=1", ttlSeconds: 60));
        stream.Send(response);
        await stream.RequestAsync();
        await sink.UpdateAsync();
        await ClientFixture.UntilAsync(() => x.Clock.Next() > TimeSpan.FromSeconds(59), () => $"{x.Clock.Next()}");
        x.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(["a"], (await sink.UpdateAsync()).Removed);
        Assert.Equal("b=1", sink.Text);
    }

    [Fact]
    public async Task Delta_NameGivenUp_IsUnsubscribedAndForgotten()
    {
        await using var x = new ClientFixture(ClientFixture.Delta);
        var a = x.Client.Subscribe(Eds, ClientFixture.Ads, ["a"], new RecordingSink());
        var stream = await x.DeltaStreamAsync();
        await stream.RequestAsync();
        using var b = x.Client.Subscribe(Eds, ClientFixture.Ads, ["b"], new RecordingSink());
        Assert.Equal(["b"], (await stream.RequestAsync()).ResourceNamesSubscribe);
        stream.Send(Texts.Delta(Eds, "1", "n1", ["a=1", "b=1"]));
        Assert.Equal("n1", (await stream.RequestAsync()).ResponseNonce);
        a.Dispose();
        Assert.Equal(["a"], (await stream.RequestAsync()).ResourceNamesUnsubscribe);
        await ClientFixture.UntilAsync(() => a.Status.Resources == 0, () => a.Status.ToString());
        stream.End();
        await x.PassBackoffAsync(b, Half);
        var again = await (await x.DeltaStreamAsync()).RequestAsync();
        Assert.Equal(["b"], again.InitialResourceVersions.Keys);
        Assert.Equal(["b"], again.ResourceNamesSubscribe);
    }

    [Fact]
    public async Task Stream_SecondResponse_WaitsForTheAnswerToTheFirst()
    {
        await using var x = new ClientFixture();
        using var entered = new System.Threading.SemaphoreSlim(0);
        using var go = new System.Threading.ManualResetEventSlim();
        var sink = new RecordingSink { OnApply = _ => { entered.Release(); go.Wait(FakeControlPlane.Deadline); return []; } };
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Sotw, [], sink);
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Sotw(Cds, "1", "1", "a=1"));
        stream.Send(Texts.Sotw(Cds, "2", "2", "a=2"));
        Assert.True(await entered.WaitAsync(FakeControlPlane.Deadline));
        Assert.Equal(1, stream.Unread);
        go.Set();
        Assert.Equal("1", (await stream.RequestAsync()).ResponseNonce);
        Assert.Equal("2", (await stream.RequestAsync()).ResponseNonce);
    }

    [Fact]
    public async Task Cilium_EmptyFirstAnswerOfHosts_IsAckedAndDataFollows()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        using var subscription = x.Client.Subscribe(ResourceType.NetworkPolicyHosts, ClientFixture.Sotw, [], sink);
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Sotw(ResourceType.NetworkPolicyHosts, "1", "1"));
        Assert.Equal("1", (await stream.RequestAsync()).ResponseNonce);
        stream.Send(Texts.Sotw(ResourceType.NetworkPolicyHosts, "2", "2", "5=x"));
        Assert.Equal("2", (await stream.RequestAsync()).ResponseNonce);
        Assert.Equal("5=x", sink.Text);
    }
}
