using System;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>Durations that become timers.</summary>
internal static class Durations
{
    // System timers count milliseconds in 32 bits.
    private static readonly TimeSpan Max = TimeSpan.FromDays(49);

    /// <summary>The value or <paramref name="missing"/>. Not negative; parts of a tick round up so that they do not become 0.</summary>
    public static TimeSpan ToTimeSpan(Duration? duration, TimeSpan missing, ConfigPath path)
    {
        if (duration is null)
        {
            return missing;
        }
        if (duration.Seconds < 0 || duration.Nanos is < 0 or > 999_999_999)
        {
            throw path.Error("must not be negative");
        }
        if (duration.Seconds >= (long)Max.TotalSeconds)
        {
            throw path.Error($"longer than {Max.TotalDays:0} days; 0s switches a timeout off");
        }
        return TimeSpan.FromTicks((duration.Seconds * TimeSpan.TicksPerSecond) + ((duration.Nanos + 99) / 100));
    }

    /// <summary>Like <see cref="ToTimeSpan"/>, null when the value is 0.</summary>
    public static TimeSpan? OrOff(Duration? duration, TimeSpan missing, ConfigPath path)
    {
        var value = ToTimeSpan(duration, missing, path);
        return value == TimeSpan.Zero ? null : value;
    }
}
