using System;
using System.Linq;
using System.Threading;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;

namespace Postern.Tests.Proxy.Stats;

public class StatsRegistryTests
{
    [Fact]
    public void OwnersOfOneName_ShareTheCells()
    {
        var registry = new StatsRegistry();
        ClusterStats.In(registry, "echo").RequestsTotal.Increment();
        ClusterStats.In(registry, "echo").RequestsTotal.Increment();
        Assert.Equal(2, Value(registry, "cluster.echo.upstream_rq_total"));
    }

    [Fact]
    public void LastOwnerThatGoes_TakesTheCellsAlong()
    {
        var registry = new StatsRegistry();
        var first = ClusterStats.In(registry, "echo");
        var second = ClusterStats.In(registry, "echo");
        registry.Release(first.Scope);
        Assert.NotNull(Value(registry, "cluster.echo.upstream_rq_total"));
        registry.Release(second.Scope);
        Assert.Null(Value(registry, "cluster.echo.upstream_rq_total"));
        registry.Release(second.Scope); // once too often does no harm to a successor
        ClusterStats.In(registry, "echo").RequestsTotal.Increment();
        registry.Release(second.Scope);
        Assert.Equal(1, Value(registry, "cluster.echo.upstream_rq_total"));
    }

    [Fact]
    public void ScopesBeyondTheBound_CountUnseenAndAreCounted()
    {
        var registry = new StatsRegistry(maxScopes: 5); // four are policy's, HTTP/1's, HTTP/2's and WebSocket's
        ClusterStats.In(registry, "a");
        ClusterStats.In(registry, "b").RequestsTotal.Increment();
        Assert.Null(Value(registry, "cluster.b.upstream_rq_total"));
        Assert.Equal(1, Value(registry, "postern.stats.scopes_over_limit"));
    }

    [Fact]
    public void DenialsAnywhere_AddUp()
    {
        var registry = new StatsRegistry();
        HttpStats.In(registry, "ingress").OnDenied();
        ListenerStats.In(registry, new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 80)).OnDenied();
        Assert.Equal(2, Value(registry, "cilium.access_denied"));
        Assert.Equal(1, Value(registry, "http.ingress.cilium.access_denied"));
        Assert.Equal(1, Value(registry, "listener.127.0.0.1_80.cilium.access_denied"));
    }

    [Fact]
    public void Admission_IsRead()
    {
        var registry = new StatsRegistry();
        var admission = new Admission(1);
        registry.AddSource(new AdmissionStats(admission));
        Assert.Equal(Admitted.Yes, admission.TryEnter());
        Assert.Equal(Admitted.TooMany, admission.TryEnter());
        Assert.Equal(1, Value(registry, "server.total_connections"));
        Assert.Equal(1, Value(registry, "postern.connections.refused"));
    }

    [Fact]
    public void CellsUnderContention_LoseNothing()
    {
        var registry = new StatsRegistry();
        var stats = HttpStats.In(registry, "p");
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                stats.OnRequest();
                stats.OnRequestEnd(200, i % 100);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(40_000, Value(registry, "http.p.downstream_rq_total"));
        Assert.Equal(0, Value(registry, "http.p.downstream_rq_active"));
        Assert.Equal(40_000, registry.Read().Single(s => s.Name.Dotted == "http.p.downstream_rq_time").Histogram!.Count);
    }

    [Fact]
    public void Counting_AllocatesNothing()
    {
        var http = HttpStats.In(new StatsRegistry(), "p");
        http.OnRequest();
        http.OnRequestEnd(200, 1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            http.OnRequest();
            http.OnRequestEnd(500, i);
            http.OnDenied();
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(-5, 0)]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3_600_000, 18)]
    [InlineData(long.MaxValue, 19)]
    public void Value_FallsIntoTheBucketThatBoundsIt(long value, int bucket)
    {
        var histogram = new Histogram();
        histogram.Record(value);
        var reading = histogram.Read();
        Assert.Equal(bucket, Array.IndexOf(reading.Cumulative, 1L));
        Assert.Equal(Math.Max(value, 0), reading.Sum);
    }

    [Fact]
    public void Quantiles_GrowAndLieWithinTheBuckets()
    {
        var histogram = new Histogram();
        for (var i = 1; i <= 1000; i++)
        {
            histogram.Record(i);
        }
        var reading = histogram.Read();
        var quantiles = Enumerable.Range(0, 101).Select(i => reading.Quantile(i / 100.0)).ToList();
        Assert.Equal(quantiles.Order(), quantiles);
        Assert.InRange(reading.Quantile(0.5), 490, 510);
        Assert.True(double.IsNaN(new Histogram().Read().Quantile(0.5)));
    }

    private static long? Value(StatsRegistry registry, string name) => registry.Read().SingleOrDefault(sample => sample.Name.Dotted == name)?.Value;
}
