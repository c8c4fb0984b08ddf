using System.Threading.Tasks;
using Postern.Xds.Discovery;

namespace Postern.Tests.Xds.Discovery;

/// <summary>The wildcard beside names of one type on the aggregated stream, and what is left when one of them goes.</summary>
public sealed class WildcardAndNamesTests
{
    private static readonly ResourceType Cds = ResourceType.Cluster;

    [Fact]
    public async Task Sotw_WildcardBesideAName_IsExplicitAndBothGetTheirPart()
    {
        await using var x = new ClientFixture();
        RecordingSink all = new(), one = new();
        using (x.Client.Pause(Cds))
        {
            x.Client.Subscribe(Cds, ClientFixture.Ads, [], all);
            x.Client.Subscribe(Cds, ClientFixture.Ads, ["b"], one);
        }
        var stream = await x.SotwStreamAsync();
        Assert.Equal(["*", "b"], (await stream.RequestAsync()).ResourceNames);
        stream.Send(Texts.Sotw(Cds, "1", "n1", "a=1", "b=1"));
        Assert.Null((await stream.RequestAsync()).ErrorDetail);
        Assert.Equal(("a=1 b=1", "b=1"), (all.Text, one.Text));
        stream.Send(Texts.Sotw(Cds, "2", "n2", "a=2"));
        await stream.RequestAsync();
        Assert.Equal(("a=2", ""), (all.Text, one.Text));
    }

    [Fact]
    public async Task Sotw_WildcardGivenUp_LeavesTheNamesAndForgetsTheRest()
    {
        await using var x = new ClientFixture();
        var all = x.Client.Subscribe(Cds, ClientFixture.Ads, [], new RecordingSink());
        var stream = await x.SotwStreamAsync();
        Assert.Empty((await stream.RequestAsync()).ResourceNames);
        stream.Send(Texts.Sotw(Cds, "1", "n1", "a=1", "b=1"));
        await stream.RequestAsync();
        var sink = new RecordingSink();
        using var one = x.Client.Subscribe(Cds, ClientFixture.Ads, ["b"], sink);
        Assert.Equal(["*", "b"], (await stream.RequestAsync()).ResourceNames);
        all.Dispose();
        var request = await stream.RequestAsync();
        Assert.Equal(["b"], request.ResourceNames);
        Assert.Equal(("1", "n1"), (request.VersionInfo, request.ResponseNonce));
        await ClientFixture.UntilAsync(() => all.Status.Resources == 1, () => $"{all.Status}");
        Assert.Equal("b=1", sink.Text); // it was held
        stream.Send(Texts.Sotw(Cds, "2", "n2", "b=2"));
        await stream.RequestAsync();
        Assert.Equal("b=2", sink.Text);
    }

    [Fact]
    public async Task Delta_WildcardAndAName_ComeAndGoAsChanges()
    {
        await using var x = new ClientFixture(ClientFixture.Delta);
        var everything = new RecordingSink();
        var all = x.Client.Subscribe(Cds, ClientFixture.Ads, [], everything);
        var stream = await x.DeltaStreamAsync();
        Assert.Empty((await stream.RequestAsync()).ResourceNamesSubscribe);
        stream.Send(Texts.Delta(Cds, "1", "n1", ["a=1", "b=1"]));
        await stream.RequestAsync();
        var sink = new RecordingSink();
        using var one = x.Client.Subscribe(Cds, ClientFixture.Ads, ["b"], sink);
        Assert.Equal(["b"], (await stream.RequestAsync()).ResourceNamesSubscribe);
        stream.Send(Texts.Delta(Cds, "2", "n2", ["b=2"], "a"));
        Assert.Equal("n2", (await stream.RequestAsync()).ResponseNonce);
        Assert.Equal(("b=2", "b=2"), (everything.Text, sink.Text));
        all.Dispose();
        Assert.Equal(["*"], (await stream.RequestAsync()).ResourceNamesUnsubscribe);
        stream.Send(Texts.Delta(Cds, "3", "n3", ["b=3", "stranger=3"]));
        Assert.Null((await stream.RequestAsync()).ErrorDetail);
        Assert.Equal("b=3", sink.Text);
        Assert.Equal("b=2", everything.Text);
        Assert.Equal(1, one.Status.Resources);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sink_ThatBlocks_KeepsTheNextResponseUnread(bool isDelta)
    {
        await using var x = new ClientFixture();
        using var entered = new System.Threading.SemaphoreSlim(0);
        using var go = new System.Threading.ManualResetEventSlim();
        var sink = new RecordingSink { OnApply = _ => { entered.Release(); go.Wait(FakeControlPlane.Deadline); return []; } };
        using var subscription = x.Client.Subscribe(Cds, isDelta ? ClientFixture.Delta : ClientFixture.Sotw, [], sink);
        System.Func<int> unread;
        if (isDelta)
        {
            var stream = await x.DeltaStreamAsync();
            await stream.RequestAsync();
            stream.Send(Texts.Delta(Cds, "1", "1", ["a=1"]));
            stream.Send(Texts.Delta(Cds, "2", "2", ["a=2"]));
            unread = () => stream.Unread;
        }
        else
        {
            var stream = await x.SotwStreamAsync();
            await stream.RequestAsync();
            stream.Send(Texts.Sotw(Cds, "1", "1", "a=1"));
            stream.Send(Texts.Sotw(Cds, "2", "2", "a=2"));
            unread = () => stream.Unread;
        }
        Assert.True(await entered.WaitAsync(FakeControlPlane.Deadline));
        Assert.Equal((1, 1L, 0L), (unread(), subscription.Status.Received, subscription.Status.Accepted));
        go.Set();
        await ClientFixture.UntilAsync(() => subscription.Status.Accepted == 2, () => $"{subscription.Status}");
        Assert.Equal("a=2", sink.Text);
    }
}
