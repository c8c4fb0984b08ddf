using System;
using System.Threading.Tasks;
using Postern.Proxy.Upstream;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Limits;

/// <summary><c>circuit_breakers</c>: requests in flight, and relayed connections.</summary>
public sealed class CircuitBreakerTests
{
    [Fact]
    public void RequestBeyondMaxRequests_IsRefusedUntilOneIsOver()
    {
        var cluster = new ClusterSnapshot(new ClusterConfig("c", ClusterType.OriginalDst, TimeSpan.FromSeconds(1), []) { CircuitBreakers = new CircuitBreakersConfig(uint.MaxValue, 2) });
        Assert.True(cluster.TryEnterRequest());
        Assert.True(cluster.TryEnterRequest());
        Assert.False(cluster.TryEnterRequest());
        Assert.Equal((2, 1), (cluster.Stats.RequestsActive.Value, cluster.Stats.RequestOverflow.Value));

        cluster.LeaveRequest();

        Assert.True(cluster.TryEnterRequest());
    }

    [Fact]
    public void ClusterWithoutThresholds_HasNoBound()
    {
        var cluster = new ClusterSnapshot(new ClusterConfig("c", ClusterType.OriginalDst, TimeSpan.FromSeconds(1), []));
        for (var i = 0; i < 100_000; i++)
        {
            Assert.True(cluster.TryEnterRequest() && cluster.TryEnterConnection());
        }
    }

    [Fact]
    public void BoundOfNone_RefusesAll()
    {
        var cluster = new ClusterSnapshot(new ClusterConfig("c", ClusterType.OriginalDst, TimeSpan.FromSeconds(1), []) { CircuitBreakers = new CircuitBreakersConfig(0, 0) });
        Assert.False(cluster.TryEnterRequest());
        Assert.False(cluster.TryEnterConnection());
    }

    [Fact]
    public async Task ConnectionBeyondMaxConnections_IsResetRecordedAndCounted()
    {
        using var rig = new LimitRig(breakers: new CircuitBreakersConfig(1, uint.MaxValue));
        using (await rig.ConnectAsync())
        using (await rig.AcceptAsync())
        {
            using var second = await rig.ConnectAsync();
            await LimitRig.AssertCutAsync(second);
            await Patience.UntilAsync(() => rig.Records.Seen.Count == 1, "one record", rig.Records.ToString);
            Assert.Equal("overflow", rig.Records.Seen[0].Fields["reason"]);
            Assert.Equal(1, rig.Value("cluster.c.upstream_cx_overflow"));
        }
        await Patience.UntilAsync(() => rig.Admission.Open == 0, "the connection's end", () => $"{rig.Admission.Open} open");
        using var third = await rig.ConnectAsync();
        using var served = await rig.AcceptAsync();
    }
}
