using System.Collections.Generic;
using System.Text.Json;
using System.Threading.Tasks;
using Postern.Proxy.Admin;
using Postern.Xds.Discovery;

namespace Postern.Tests.Proxy.Admin;

public class XdsPageTests
{
    [Fact]
    public async Task Text_SaysWhatWasRefusedAndWhatWaits()
    {
        await using var host = await AdminHost.StartAsync();
        Fill(host.Target);
        var text = await host.GetAsync("/xds");
        Assert.Matches(@"(?m)^LDS +live +7 +2 +10 +9 +1 +15s +grpc xds-grpc-cilium$", text);
        Assert.Contains("last NACK 2026-03-01T12:00:05.000Z, version 8: web: filter_chains: is empty\\u000anext", text);
        Assert.Contains("names: default/echo", text);
        Assert.Contains("stream: connection refused", text);
        Assert.Matches(@"(?m)^CDS +warming +4 +75s +echo\n +waits for EDS default/echo$", text);
        Assert.Matches(@"(?m)^NPDS +active +9 +75s +10.0.0.1  \(from the state on disk\)$", text);
        Assert.Matches(@"(?m)^LDS +rejected +- +75s +web\n +refused: filter_chains: is empty$", text);
    }

    [Fact]
    public async Task Json_HasEveryKey()
    {
        await using var host = await AdminHost.StartAsync();
        Fill(host.Target);
        var json = await host.GetJsonAsync("/xds?format=json");
        var lds = json.GetProperty("subscriptions")[0];
        Assert.Equal("LDS", lds.GetProperty("type").GetString());
        Assert.Equal("grpc xds-grpc-cilium", lds.GetProperty("source").GetString());
        Assert.Equal("live", lds.GetProperty("state").GetString());
        Assert.Equal("7", lds.GetProperty("version").GetString());
        Assert.Equal(10, lds.GetProperty("received").GetInt64());
        Assert.Equal("2026-03-01T12:01:00.000Z", lds.GetProperty("last_ack").GetString());
        Assert.Equal("2026-03-01T12:00:05.000Z", lds.GetProperty("last_nack").GetString());
        Assert.Equal("8", lds.GetProperty("last_nack_version").GetString());
        Assert.Equal("web: filter_chains: is empty\nnext", lds.GetProperty("last_nack_text").GetString());
        Assert.Equal(1, lds.GetProperty("rejected_by_resource").GetProperty("web").GetInt64());
        var eds = json.GetProperty("subscriptions")[1];
        Assert.Equal(JsonValueKind.Null, eds.GetProperty("last_ack").ValueKind);
        Assert.Equal("connection refused", eds.GetProperty("last_stream_error").GetString());
        var echo = json.GetProperty("resources")[0];
        Assert.Equal("warming", echo.GetProperty("state").GetString());
        Assert.Equal("EDS default/echo", echo.GetProperty("waiting_for")[0].GetString());
        Assert.True(json.GetProperty("resources")[1].GetProperty("from_disk").GetBoolean());
    }

    [Fact]
    public async Task UnknownFormat_Is400()
    {
        await using var host = await AdminHost.StartAsync();
        Assert.Equal(400, (await host.AskAsync("GET", "/xds?format=yaml")).Status);
    }

    private static void Fill(FakeTarget target)
    {
        target.Subscriptions =
        [
            new SubscriptionStatus
            {
                Type = ResourceType.Listener,
                Source = "grpc xds-grpc-cilium",
                State = "live",
                Version = "7",
                Resources = 2,
                Received = 10,
                Accepted = 9,
                Rejected = 1,
                LastAck = FakeTarget.Epoch.AddSeconds(60),
                LastNack = FakeTarget.Epoch.AddSeconds(5),
                LastNackVersion = "8",
                LastNackText = "web: filter_chains: is empty\nnext",
                RejectedByResource = new Dictionary<string, long> { ["web"] = 1 },
            },
            new SubscriptionStatus { Type = ResourceType.Endpoint, Source = "ads x", State = "backoff", Names = ["default/echo"], LastStreamError = "connection refused" },
        ];
        target.Resources =
        [
            new ResourceStatus(ResourceType.Cluster, "echo", ResourceState.Warming, "4", FakeTarget.Epoch, ["EDS default/echo"], "", null),
            new ResourceStatus(ResourceType.NetworkPolicy, "10.0.0.1", ResourceState.Active, "9", FakeTarget.Epoch, [], "", null, FromDisk: true),
            new ResourceStatus(ResourceType.Listener, "web", ResourceState.Rejected, "", FakeTarget.Epoch, [], "filter_chains: is empty", null),
        ];
    }
}
