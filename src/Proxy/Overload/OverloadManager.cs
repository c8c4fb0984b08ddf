using System;
using System.Collections.Generic;
using System.Threading;
using Microsoft.Extensions.Logging;
using Postern.Proxy.Stats;
using Postern.Xds.Config;

namespace Postern.Proxy.Overload;

/// <summary>Reads the resources every <c>refresh_interval</c> and sets what the process sheds (<see cref="OverloadState"/>).</summary>
internal sealed partial class OverloadManager : IStatsSource, IDisposable
{
    /// <summary>A collection of everything costs CPU: not more often than this, as Envoy's shrink_heap.</summary>
    public static readonly TimeSpan ShrinkInterval = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly List<WatchedResource> resources = [];
    private readonly List<OverloadAction> actions = [];
    private readonly OverloadState state;
    private readonly TimeProvider time;
    private readonly Action shrink;
    private readonly ILogger logger;
    private readonly ITimer timer;
    private long lastShrink;
    private long shrinks;

    /// <param name="config">What to read and do.</param>
    /// <param name="monitors">Makes a monitor of its configuration.</param>
    /// <param name="state">Is written here only.</param>
    /// <param name="time">The clock.</param>
    /// <param name="shrink">Gives memory back.</param>
    /// <param name="logger">Hears of every change.</param>
    public OverloadManager(OverloadConfig config, Func<ResourceMonitorConfig, IResourceMonitor> monitors, OverloadState state, TimeProvider time, Action shrink, ILogger logger)
    {
        foreach (var monitor in config.Monitors)
        {
            resources.Add(new WatchedResource(monitor.Name, monitors(monitor)));
        }
        foreach (var action in config.Actions)
        {
            actions.Add(new OverloadAction(action, name => resources.Find(resource => resource.Name == name)));
        }
        this.state = state;
        this.time = time;
        this.shrink = shrink;
        this.logger = logger;
        lastShrink = time.GetTimestamp() - (long)(ShrinkInterval.TotalSeconds * time.TimestampFrequency);
        timer = time.CreateTimer(static self => ((OverloadManager)self!).Refresh(), this, config.RefreshInterval, config.RefreshInterval);
    }

    public void Read(List<StatSample> samples)
    {
        lock (gate)
        {
            foreach (var resource in resources)
            {
                samples.Add(StatSample.Gauge($"overload.{resource.Name}.pressure", Percent(resource.Pressure)));
                samples.Add(StatSample.Counter($"overload.{resource.Name}.failed_updates", resource.Failures));
            }
            foreach (var action in actions)
            {
                samples.Add(StatSample.Gauge($"overload.{action.Name}.active", action.Part > 0 ? 1 : 0));
                samples.Add(StatSample.Gauge($"overload.{action.Name}.scale_percent", Percent(action.Part)));
                if (action.Config.Kind == OverloadActionKind.ShrinkHeap)
                {
                    samples.Add(StatSample.Counter($"overload.{action.Name}.shrink_count", shrinks));
                }
            }
        }
    }

    public void Dispose() => timer.Dispose();

    private void Refresh()
    {
        if (!gate.TryEnter())
        {
            return; // the last one still runs
        }
        try
        {
            foreach (var resource in resources)
            {
                if (resource.Refresh() is { } problem)
                {
                    LogUnreadable(logger, resource.Name, problem, Percent(resource.Pressure));
                }
            }
            foreach (var action in actions)
            {
                if (action.Refresh())
                {
                    LogChange(action);
                }
            }
            state.Set(
                PartOf(OverloadActionKind.StopAcceptingRequests),
                PartOf(OverloadActionKind.DisableHttpKeepalive),
                PartOf(OverloadActionKind.RejectIncomingConnections),
                PartOf(OverloadActionKind.StopAcceptingConnections) >= 1,
                Timeouts());
            ShrinkIfDue();
        }
        finally
        {
            gate.Exit();
        }
    }

    private void ShrinkIfDue()
    {
        if (PartOf(OverloadActionKind.ShrinkHeap) > 0 && time.GetElapsedTime(lastShrink) >= ShrinkInterval)
        {
            lastShrink = time.GetTimestamp();
            shrinks++;
            shrink();
        }
    }

    private double PartOf(OverloadActionKind kind) => Find(kind)?.Part ?? 0;

    private TimeoutScale Timeouts() => Find(OverloadActionKind.ReduceTimeouts) is { Part: > 0 } action ? new TimeoutScale(action.Config.Timers, action.Part) : TimeoutScale.None;

    private OverloadAction? Find(OverloadActionKind kind) => actions.Find(action => action.Config.Kind == kind);

    private void LogChange(OverloadAction action)
    {
        if (action.Cause is { } cause)
        {
            LogActive(logger, action.Name, cause.Name, Percent(cause.Pressure));
        }
        else
        {
            LogOver(logger, action.Name);
        }
    }

    private static long Percent(double part) => (long)Math.Min(part * 100, int.MaxValue);

    [LoggerMessage(50, LogLevel.Warning, "overload: {Action} is active, {Resource} is at {Percent} %; give the process more, or send it less")]
    private static partial void LogActive(ILogger logger, string action, string resource, long percent);

    [LoggerMessage(51, LogLevel.Information, "overload: {Action} is over")]
    private static partial void LogOver(ILogger logger, string action);

    [LoggerMessage(52, LogLevel.Warning, "overload: {Resource}: {Problem}; the last value, {Percent} %, stays in force")]
    private static partial void LogUnreadable(ILogger logger, string resource, string problem, long percent);
}
