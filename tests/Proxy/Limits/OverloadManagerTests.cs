using System;
using System.Linq;
using Postern.Proxy.Overload;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Limits;

/// <summary>Pressure becomes what is shed, and metrics say so.</summary>
public sealed class OverloadManagerTests
{
    [Fact]
    public void Threshold_SwitchesTheActionOnAndOff()
    {
        using var rig = new OverloadRig(
            OverloadRig.At(OverloadActionKind.StopAcceptingRequests, 0.9),
            OverloadRig.At(OverloadActionKind.DisableHttpKeepalive, 0.8),
            OverloadRig.At(OverloadActionKind.StopAcceptingConnections, 0.7),
            OverloadRig.At(OverloadActionKind.RejectIncomingConnections, 0.6));
        bool[] Flags() => [rig.State.RejectConnection, rig.State.StopAcceptingConnections, rig.State.DisableKeepAlive, rig.State.StopAcceptingRequests];

        Assert.Equal([false, false, false, false], Flags());
        rig.Pressure(0.6);
        Assert.Equal([true, false, false, false], Flags());
        rig.Pressure(0.75);
        Assert.Equal([true, true, false, false], Flags());
        rig.Pressure(1);
        Assert.Equal([true, true, true, true], Flags());
        rig.Pressure(0.59);
        Assert.Equal([false, false, false, false], Flags());
    }

    [Fact]
    public void Metrics_HaveEnvoysNames()
    {
        using var rig = new OverloadRig(OverloadRig.At(OverloadActionKind.StopAcceptingRequests, 0.5, 1));
        rig.Pressure(0.75);
        Assert.Equal((75, 1, 50), (rig.Value("overload.test.pressure"), rig.Value("overload.envoy.overload_actions.stop_accepting_requests.active"), rig.Value("overload.envoy.overload_actions.stop_accepting_requests.scale_percent")));
        rig.Pressure(0.1);
        Assert.Equal((10, 0, 0), (rig.Value("overload.test.pressure"), rig.Value("overload.envoy.overload_actions.stop_accepting_requests.active"), rig.Value("overload.envoy.overload_actions.stop_accepting_requests.scale_percent")));
    }

    [Fact]
    public void ScaledAction_ShedsItsPart()
    {
        using var rig = new OverloadRig(OverloadRig.At(OverloadActionKind.StopAcceptingRequests, 0.5, 1), OverloadRig.At(OverloadActionKind.StopAcceptingConnections, 0.5, 1));
        rig.Pressure(0.75);
        var shed = Enumerable.Range(0, 10_000).Count(_ => rig.State.StopAcceptingRequests);
        Assert.InRange(shed, 4_500, 5_500);
        Assert.False(rig.State.StopAcceptingConnections); // a queue is not stopped by half
        rig.Pressure(1);
        Assert.True(rig.State.StopAcceptingConnections);
    }

    [Theory]
    [InlineData("")]
    [InlineData("high")]
    [InlineData("1.5")]
    [InlineData("NaN")]
    public void ReadingThatFails_LeavesTheLastOneInForce(string text)
    {
        using var rig = new OverloadRig(OverloadRig.At(OverloadActionKind.StopAcceptingRequests, 0.9));
        rig.Pressure(0.95);
        rig.Says(text);
        Assert.True(rig.State.StopAcceptingRequests);
        Assert.Equal((95, 1), (rig.Value("overload.test.pressure"), rig.Value("overload.test.failed_updates")));
        rig.Pressure(0.1);
        Assert.False(rig.State.StopAcceptingRequests);
    }

    [Fact]
    public void Heap_IsShrunkAtOnceAndThenEveryTenSeconds()
    {
        using var rig = new OverloadRig(OverloadRig.At(OverloadActionKind.ShrinkHeap, 0.8));
        rig.Says("0.9");
        Assert.Equal(1, rig.Shrinks);
        rig.Says("0.9", 9);
        Assert.Equal(1, rig.Shrinks);
        rig.Says("0.9", 2);
        Assert.Equal(2, rig.Shrinks);
        rig.Says("0.1", 60);
        Assert.Equal((2, 2), (rig.Shrinks, rig.Value("overload.envoy.overload_actions.shrink_heap.shrink_count")));
    }

    [Fact]
    public void Timeouts_ShrinkWithPressure()
    {
        using var rig = new OverloadRig(OverloadRig.At(OverloadActionKind.ReduceTimeouts, 0.5, 1) with
        {
            Timers = [new ScaleTimerConfig(ScaledTimer.ConnectionIdle, TimeSpan.FromSeconds(2), 0), new ScaleTimerConfig(ScaledTimer.StreamIdle, null, 0.1)],
        });
        long[] Now() => [rig.State.Timeouts.ConnectionIdle(10_000), rig.State.Timeouts.StreamIdle(10_000), rig.State.Timeouts.ConnectionMax(10_000)];

        Assert.Equal([10_000, 10_000, 10_000], Now());
        rig.Pressure(0.75);
        Assert.Equal([6_000, 5_500, 10_000], Now());
        rig.Pressure(1);
        Assert.Equal([2_000, 1_000, 10_000], Now());
        Assert.Equal((0, 1_000), (rig.State.Timeouts.ConnectionIdle(0), rig.State.Timeouts.ConnectionIdle(1_000))); // off stays off, and nothing grows
        rig.Pressure(0);
        Assert.Equal([10_000, 10_000, 10_000], Now());
    }

    [Fact]
    public void Heap_IsMeasured()
    {
        Assert.True(new HeapMonitor(1).TryRead(out var full, out _));
        Assert.True(full > 1);
        Assert.True(new HeapMonitor(long.MaxValue).TryRead(out var empty, out _));
        Assert.InRange(empty, double.Epsilon, 0.01);
    }
}
