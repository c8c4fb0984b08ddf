using System;
using System.Collections.Generic;
using Envoy.Config.Overload.V3;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;
using Timer = Envoy.Config.Overload.V3.ScaleTimersOverloadActionConfig.Types.TimerType;
using ScaleTimer = Envoy.Config.Overload.V3.ScaleTimersOverloadActionConfig.Types.ScaleTimer;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.overload.v3.OverloadAction</c>.</summary>
internal static class OverloadActions
{
    private static readonly Dictionary<string, OverloadActionKind> Kinds = new(StringComparer.Ordinal)
    {
        ["envoy.overload_actions.stop_accepting_requests"] = OverloadActionKind.StopAcceptingRequests,
        ["envoy.overload_actions.disable_http_keepalive"] = OverloadActionKind.DisableHttpKeepalive,
        ["envoy.overload_actions.stop_accepting_connections"] = OverloadActionKind.StopAcceptingConnections,
        ["envoy.overload_actions.reject_incoming_connections"] = OverloadActionKind.RejectIncomingConnections,
        ["envoy.overload_actions.shrink_heap"] = OverloadActionKind.ShrinkHeap,
        ["envoy.overload_actions.reduce_timeouts"] = OverloadActionKind.ReduceTimeouts,
    };

    /// <summary>Validates an action whose triggers name these monitors.</summary>
    public static OverloadActionConfig ToConfig(OverloadAction action, HashSet<string> monitors, ConfigPath path)
    {
        var name = TypedConfig.Required(action.Name, path.Field("name"));
        if (!Kinds.TryGetValue(name, out var kind))
        {
            throw path.Field("name").Error(name == "envoy.overload_actions.reset_high_memory_stream"
                ? "no stream may hold much memory, so there is none to choose; bound them by initial_stream_window_size, and remove it"
                : $"{Printable.Quote(name)} is not built in; {(NearMiss.Find(name, Kinds.Keys) is { } near ? $"did you mean {near}?" : "docs/limits.md lists what is")}");
        }
        if (action.Triggers.Count == 0)
        {
            throw path.Field("triggers").Error("an action needs at least one trigger");
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return new OverloadActionConfig(kind, action.Triggers.Map(path.Field("triggers"), (trigger, at) => OverloadActions.Trigger(trigger, monitors, seen, at)))
        {
            Timers = Timers(action, kind, path.Field("typed_config")),
        };
    }

    private static OverloadTriggerConfig Trigger(Trigger trigger, HashSet<string> monitors, HashSet<string> seen, ConfigPath path)
    {
        if (!monitors.Contains(trigger.Name))
        {
            throw path.Field("name").Error($"no resource monitor is named {Printable.Quote(trigger.Name)}{(NearMiss.Find(trigger.Name, monitors) is { } near ? $"; did you mean {Printable.Quote(near)}?" : "")}");
        }
        if (!seen.Add(trigger.Name))
        {
            throw path.Field("name").Error($"a second trigger by {Printable.Quote(trigger.Name)}; keep one");
        }
        switch (trigger.TriggerOneofCase)
        {
            case Envoy.Config.Overload.V3.Trigger.TriggerOneofOneofCase.Threshold:
                var value = Part(trigger.Threshold.Value, path.Field("threshold").Field("value"));
                return new OverloadTriggerConfig(trigger.Name, value, value);
            case Envoy.Config.Overload.V3.Trigger.TriggerOneofOneofCase.Scaled:
                path = path.Field("scaled");
                var scaling = Part(trigger.Scaled.ScalingThreshold, path.Field("scaling_threshold"));
                var saturation = Part(trigger.Scaled.SaturationThreshold, path.Field("saturation_threshold"));
                return scaling < saturation
                    ? new OverloadTriggerConfig(trigger.Name, scaling, saturation)
                    : throw path.Error("scaling_threshold must be less than saturation_threshold");
            default:
                throw path.Error("needs threshold or scaled");
        }
    }

    private static EquatableList<ScaleTimerConfig> Timers(OverloadAction action, OverloadActionKind kind, ConfigPath path)
    {
        if (action.TypedConfig is null)
        {
            return kind == OverloadActionKind.ReduceTimeouts ? throw path.Error("is missing; reduce_timeouts needs ScaleTimersOverloadActionConfig") : [];
        }
        switch (TypedConfig.Unpack(action.TypedConfig, path))
        {
            case ShrinkHeapConfig when kind == OverloadActionKind.ShrinkHeap:
                return [];
            case ScaleTimersOverloadActionConfig timers when kind == OverloadActionKind.ReduceTimeouts:
                var seen = new HashSet<ScaledTimer>();
                return timers.TimerScaleFactors.Count > 0
                    ? timers.TimerScaleFactors.Map(path.Field("timer_scale_factors"), (timer, at) => Scale(timer, seen, at))
                    : throw path.Field("timer_scale_factors").Error("needs at least one timer");
            case var other:
                throw TypedConfig.Misplaced(other, "what this action takes", path);
        }
    }

    private static ScaleTimerConfig Scale(ScaleTimer timer, HashSet<ScaledTimer> seen, ConfigPath path)
    {
        var which = timer.Timer switch
        {
            Timer.HttpDownstreamConnectionIdle => ScaledTimer.ConnectionIdle,
            Timer.HttpDownstreamStreamIdle => ScaledTimer.StreamIdle,
            Timer.HttpDownstreamConnectionMax => ScaledTimer.ConnectionMax,
            _ => throw path.Field("timer").Error($"{timer.Timer} is not built in; HTTP_DOWNSTREAM_CONNECTION_IDLE, HTTP_DOWNSTREAM_STREAM_IDLE and HTTP_DOWNSTREAM_CONNECTION_MAX are"),
        };
        if (!seen.Add(which))
        {
            throw path.Field("timer").Error($"{timer.Timer} stands twice; keep one");
        }
        return timer.OverloadAdjustCase switch
        {
            ScaleTimer.OverloadAdjustOneofCase.MinTimeout =>
                new ScaleTimerConfig(which, Durations.ToTimeSpan(timer.MinTimeout, TimeSpan.Zero, path.Field("min_timeout")), 0),
            ScaleTimer.OverloadAdjustOneofCase.MinScale => new ScaleTimerConfig(which, null, Part(timer.MinScale.Value / 100, path.Field("min_scale").Field("value"))),
            _ => throw path.Error("needs min_timeout or min_scale"),
        };
    }

    private static double Part(double value, ConfigPath path) =>
        value is >= 0 and <= 1 ? value : throw path.Error("is not within its range, 0 to 1 (a percentage: 0 to 100)"); // NaN is not
}
