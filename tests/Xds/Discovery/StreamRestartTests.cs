using System;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Threading.Tasks;
using Postern.Grpc;
using Postern.Xds.Discovery;

namespace Postern.Tests.Xds.Discovery;

/// <summary>What ends a stream, and that another always follows.</summary>
public sealed class StreamRestartTests
{
    private static readonly TimeSpan Half = TimeSpan.FromMilliseconds(500);
    private static readonly ResourceType Cds = ResourceType.Cluster, Npds = ResourceType.NetworkPolicy, Nphds = ResourceType.NetworkPolicyHosts;

    public static TheoryData<string> Types => ["NPDS", "NPHDS"];

    public static TheoryData<StatusCode> Codes => new(Enum.GetValues<StatusCode>().Where(static code => code != StatusCode.OK));

    private static ResourceType Type(string name) => ResourceType.All.Single(type => type.ShortName == name);

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Delta_RefusedWholeSet_IsAskedForAgainOnANewStream(string name)
    {
        var type = Type(name);
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        using var subscription = x.Client.Subscribe(type, ClientFixture.Delta, [], sink);
        var stream = await x.DeltaStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Delta(type, "1", "n1", ["1=a", "2=bad"]));
        stream.Send(Texts.Delta(type, "2", "n2", ["2=b"])); // the difference: as a whole set it would lose 1
        Assert.Equal(("n1", 13), ((await stream.RequestAsync()) is var nack ? nack.ResponseNonce : "", nack.ErrorDetail.Code));
        await x.PassBackoffAsync(subscription, Half);
        Assert.Equal("", sink.Text);
        stream = await x.DeltaStreamAsync();
        var request = await stream.RequestAsync();
        Assert.Empty(request.InitialResourceVersions);
        Assert.Equal("", request.ResponseNonce);
        stream.Send(Texts.Delta(type, "2", "m1", ["1=a", "2=b"]));
        Assert.Null((await stream.RequestAsync()).ErrorDetail);
        stream.Send(Texts.Delta(type, "3", "m2", ["3=c"]));
        Assert.Null((await stream.RequestAsync()).ErrorDetail);
        Assert.Equal("1=a 2=b 3=c", sink.Text);
    }

    [Fact]
    public async Task Delta_WholeSetRefusedAgainAndAgain_WaitsLongerEachTimeUntilOneIsAccepted()
    {
        await using var x = new ClientFixture();
        using var subscription = x.Client.Subscribe(Npds, ClientFixture.Delta, [], new RecordingSink());
        FakeStream<Envoy.Service.Discovery.V3.DeltaDiscoveryRequest, Envoy.Service.Discovery.V3.DeltaDiscoveryResponse> stream;
        for (var i = 0; i < 3; i++)
        {
            stream = await x.DeltaStreamAsync();
            await stream.RequestAsync();
            stream.Send(Texts.Delta(Npds, "1", "n1", ["1=bad"]));
            Assert.NotNull((await stream.RequestAsync()).ErrorDetail);
            await x.PassBackoffAsync(subscription, Half * (1 << i));
        }
        stream = await x.DeltaStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Delta(Npds, "2", "n1", ["1=a"]));
        await stream.RequestAsync();
        stream.End();
        await x.PassBackoffAsync(subscription, Half);
    }

    [Fact]
    public async Task Delta_RefusalAfterAnAcceptedSet_LeavesTheStreamOpen()
    {
        await using var x = new ClientFixture();
        var sink = new RecordingSink();
        using var subscription = x.Client.Subscribe(Npds, ClientFixture.Delta, [], sink);
        var stream = await x.DeltaStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Delta(Npds, "1", "n1", ["1=a"]));
        Assert.Null((await stream.RequestAsync()).ErrorDetail);
        stream.Send(Texts.Delta(Npds, "2", "n2", ["2=bad"]));
        Assert.NotNull((await stream.RequestAsync()).ErrorDetail);
        stream.Send(Texts.Delta(Npds, "3", "n3", ["2=b"]));
        Assert.Null((await stream.RequestAsync()).ErrorDetail);
        Assert.Equal("1=a 2=b", sink.Text);
        Assert.Equal((1L, 2L, 1L), (subscription.Status.Attempts, subscription.Status.Accepted, subscription.Status.Rejected));
    }

    [Fact]
    public async Task Delta_RefusedFirstDifferenceOfOtherTypes_LeavesTheStreamOpen()
    {
        await using var x = new ClientFixture();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Delta, [], new RecordingSink());
        var stream = await x.DeltaStreamAsync();
        await stream.RequestAsync();
        stream.Send(Texts.Delta(Cds, "1", "n1", ["a=bad"]));
        Assert.NotNull((await stream.RequestAsync()).ErrorDetail);
        stream.Send(Texts.Delta(Cds, "2", "n2", ["a=1"]));
        Assert.Null((await stream.RequestAsync()).ErrorDetail);
    }

    [Fact]
    public async Task Ads_RefusedWholeSet_IsNotHiddenByTheAnswersOfOtherTypes()
    {
        await using var x = new ClientFixture(ClientFixture.Delta);
        using var hosts = x.Client.Subscribe(Nphds, ClientFixture.Ads, [], new RecordingSink());
        var policies = x.Client.Subscribe(Npds, ClientFixture.Ads, [], new RecordingSink());
        for (var i = 0; i < 3; i++)
        {
            var stream = await x.DeltaStreamAsync();
            await stream.RequestAsync();
            await stream.RequestAsync();
            stream.Send(Texts.Delta(Nphds, "1", "h1", ["1=a"]));
            Assert.Null((await stream.RequestAsync()).ErrorDetail);
            stream.Send(Texts.Delta(Npds, "1", "n1", ["1=bad"]));
            Assert.NotNull((await stream.RequestAsync()).ErrorDetail);
            await x.PassBackoffAsync(hosts, Half * (1 << i));
        }
        policies.Dispose(); // nobody waits for that set any more
        var last = await x.DeltaStreamAsync();
        await last.RequestAsync();
        last.Send(Texts.Delta(Nphds, "2", "h2", ["1=b"]));
        await last.RequestAsync();
        last.End();
        await x.PassBackoffAsync(hosts, Half);
    }

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task AnyStatus_IsFollowedByANewStream(StatusCode code)
    {
        await using var x = new ClientFixture();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Sotw, [], new RecordingSink());
        var stream = await x.SotwStreamAsync();
        await stream.RequestAsync();
        stream.End(new RpcException(new Status(code, "ended")));
        await x.PassBackoffAsync(subscription, Half);
        await (await x.SotwStreamAsync()).RequestAsync();
        Assert.Contains("ended", subscription.Status.LastStreamError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyException_IsFollowedByANewStream()
    {
        await using var x = new ClientFixture();
        using var subscription = x.Client.Subscribe(Cds, ClientFixture.Sotw, [], new RecordingSink());
        var wait = Half;
        foreach (var error in (Exception[])[new HttpRequestException("h2"), new IOException("pipe"), new OperationCanceledException(), new TimeoutException(), new ObjectDisposedException("channel")])
        {
            var stream = await x.SotwStreamAsync();
            await stream.RequestAsync();
            stream.End(error);
            await x.PassBackoffAsync(subscription, wait);
            wait *= 2;
        }
        await (await x.SotwStreamAsync()).RequestAsync();
    }
}
