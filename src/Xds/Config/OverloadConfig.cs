using System;
using Postern.Policy.Config;

namespace Postern.Xds.Config;

/// <summary><c>envoy.config.overload.v3.OverloadManager</c>, without its bound on connections (<see cref="BootstrapConfig.MaxDownstreamConnections"/>).</summary>
public sealed record OverloadConfig
{
    /// <summary><c>refresh_interval</c>, default 1 s.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary><c>resource_monitors</c>; names are unique.</summary>
    public EquatableList<ResourceMonitorConfig> Monitors { get; init; } = [];

    /// <summary><c>actions</c>; names are unique.</summary>
    public EquatableList<OverloadActionConfig> Actions { get; init; } = [];
}

/// <summary><c>ResourceMonitor</c>.</summary>
/// <param name="Name">As triggers name it.</param>
/// <param name="Kind">What is measured.</param>
/// <param name="MaxBytes">Full, for those that measure memory; 0 takes the group's own bound.</param>
/// <param name="FileName">Of <see cref="ResourceKind.Injected"/>: holds a number from 0 to 1.</param>
public sealed record ResourceMonitorConfig(string Name, ResourceKind Kind, long MaxBytes, string FileName);

/// <summary>What a monitor measures.</summary>
public enum ResourceKind
{
    /// <summary><c>envoy.resource_monitors.fixed_heap</c>: memory that the process has in use, of <c>max_heap_size_bytes</c>.</summary>
    FixedHeap,

    /// <summary><c>envoy.resource_monitors.cgroup_memory</c>: memory of the control group, of its bound or <c>max_memory_bytes</c>, whichever is less.</summary>
    CgroupMemory,

    /// <summary><c>envoy.resource_monitors.injected_resource</c>: what a file says.</summary>
    Injected,

    /// <summary><c>envoy.resource_monitors.global_downstream_max_connections</c>: open connections of the bound.</summary>
    DownstreamConnections,
}

/// <summary><c>OverloadAction</c>.</summary>
/// <param name="Kind">By its name.</param>
/// <param name="Triggers">The one that asks for most counts.</param>
public sealed record OverloadActionConfig(OverloadActionKind Kind, EquatableList<OverloadTriggerConfig> Triggers)
{
    /// <summary>Of <see cref="OverloadActionKind.ReduceTimeouts"/>: <c>timer_scale_factors</c>.</summary>
    public EquatableList<ScaleTimerConfig> Timers { get; init; } = [];
}

/// <summary>What is done, <c>envoy.overload_actions.…</c>.</summary>
public enum OverloadActionKind
{
    /// <summary><c>stop_accepting_requests</c>: 503.</summary>
    StopAcceptingRequests,

    /// <summary><c>disable_http_keepalive</c>: answers close their connection.</summary>
    DisableHttpKeepalive,

    /// <summary><c>stop_accepting_connections</c>: they wait in the kernel's queue.</summary>
    StopAcceptingConnections,

    /// <summary><c>reject_incoming_connections</c>: accepted and reset at once.</summary>
    RejectIncomingConnections,

    /// <summary><c>shrink_heap</c>: a collection that gives memory back.</summary>
    ShrinkHeap,

    /// <summary><c>reduce_timeouts</c>: idle timeouts get shorter.</summary>
    ReduceTimeouts,
}

/// <summary><c>Trigger</c>: a threshold is a scale without a slope.</summary>
/// <param name="Monitor">Its name.</param>
/// <param name="Scaling">Up to this pressure nothing happens (<c>scaling_threshold</c>); of a threshold its value.</param>
/// <param name="Saturation">From this on everything does (<c>saturation_threshold</c>).</param>
public sealed record OverloadTriggerConfig(string Monitor, double Scaling, double Saturation);

/// <summary><c>ScaleTimer</c>.</summary>
/// <param name="Timer">Which timeout.</param>
/// <param name="MinTimeout">At full pressure; null where <paramref name="MinScale"/> says it.</param>
/// <param name="MinScale">At full pressure, part of the configured timeout, 0 to 1.</param>
public sealed record ScaleTimerConfig(ScaledTimer Timer, TimeSpan? MinTimeout, double MinScale);

/// <summary><c>TimerType</c>.</summary>
public enum ScaledTimer
{
    /// <summary><c>HTTP_DOWNSTREAM_CONNECTION_IDLE</c>.</summary>
    ConnectionIdle,

    /// <summary><c>HTTP_DOWNSTREAM_STREAM_IDLE</c>.</summary>
    StreamIdle,

    /// <summary><c>HTTP_DOWNSTREAM_CONNECTION_MAX</c>.</summary>
    ConnectionMax,
}
