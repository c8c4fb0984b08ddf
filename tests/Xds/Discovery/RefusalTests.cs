using System;
using System.Linq;
using System.Threading.Tasks;
using Envoy.Service.Discovery.V3;
using Postern.Xds.Discovery;

namespace Postern.Tests.Xds.Discovery;

/// <summary>What is refused here, and what the control plane itself says it cannot give.</summary>
public sealed class RefusalTests
{
    private static readonly ResourceType Cds = ResourceType.Cluster;

    private static ResourceError Error(string name, int code, string text) =>
        new() { ResourceName = new ResourceName { Name = name }, ErrorDetail = new Google.Rpc.Status { Code = code, Message = text } };

    [Fact]
    public async Task Delta_RefusedResource_IsNackedAndLeavesSetAndVersionsAsTheyWere()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Delta, [], sink);
        var stream = await x.DeltaStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Delta(Cds, "1", "n1", ["a=1", "b=1"]));
        await stream.RequestAsync();
        stream.Send(Texts.Delta(Cds, "2", "n2", ["a=2", "c=bad"], "b"));
        var nack = await stream.RequestAsync();
        Assert.Equal(("n2", 13), (nack.ResponseNonce, nack.ErrorDetail.Code));
        Assert.Contains("resources[c].value: 'bad' of c is not good", nack.ErrorDetail.Message, StringComparison.Ordinal);
        Assert.Empty(nack.ResourceNamesSubscribe);
        Assert.Equal("a=1 b=1", sink.Text);
        Assert.Equal(("1", 2, 1L), (subscription.Status.Version, subscription.Status.Resources, subscription.Status.RejectedByResource["c"]));
        stream.End();
        await x.PassBackoffAsync(subscription, TimeSpan.FromMilliseconds(500));
        var again = await (await x.DeltaStreamAsync()).RequestAsync();
        Assert.Equal(["a=1", "b=1"], again.InitialResourceVersions.Select(pair => $"{pair.Key}={pair.Value}").Order());
    }

    [Fact]
    public async Task Sotw_ResourceErrors_AreShownAndTheResponseIsAcked()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Sotw, [], sink);
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        var response = Texts.Sotw(Cds, "1", "n1", "a=1");
        response.ResourceErrors.Add(Error("b", 5, "no such\ncluster"));
        stream.Send(response);
        Assert.Null((await stream.RequestAsync()).ErrorDetail);
        Assert.Equal("a=1", sink.Text);
        Assert.Equal("code 5: no such?cluster", Assert.Single(subscription.Status.ResourceErrors).Value); // no text of a peer breaks a line
        Assert.Contains(x.Log, line => line.Contains("reports an error of", StringComparison.Ordinal) && !line.Contains('\n', StringComparison.Ordinal));
    }

    [Fact]
    public async Task Delta_ResourceErrors_AreShownUntilTheNextOnesAndRemoveNothing()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Delta, [], sink);
        var stream = await x.DeltaStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Delta(Cds, "1", "n1", ["a=1"]));
        await stream.RequestAsync();
        var response = Texts.Delta(Cds, "2", "n2", []);
        response.ResourceErrors.Add(Enumerable.Range(0, 100).Select(i => Error("r" + i, 7, "denied")));
        response.ResourceErrors.Insert(0, Error("a", 14, "away"));
        stream.Send(response);
        Assert.Null((await stream.RequestAsync()).ErrorDetail);
        Assert.Equal("code 14: away", subscription.Status.ResourceErrors["a"]);
        Assert.Equal(64, subscription.Status.ResourceErrors.Count);
        response = Texts.Delta(Cds, "3", "n3", []);
        response.ResourceErrors.Add(Error("z", 5, "gone"));
        stream.Send(response);
        await stream.RequestAsync();
        Assert.Equal("z", Assert.Single(subscription.Status.ResourceErrors).Key);
        Assert.Equal("a=1", sink.Text);
    }
}
