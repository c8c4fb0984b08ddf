using System.Collections.Generic;
using Postern.Xds.Config;

namespace Postern.Proxy.Overload;

/// <summary><c>reduce_timeouts</c> at some pressure: how long timeouts are now. Never changes.</summary>
/// <param name="timers">Which timeouts shrink, and how far at most.</param>
/// <param name="part">How far of that: 0 to 1.</param>
internal sealed class TimeoutScale(IReadOnlyList<ScaleTimerConfig> timers, double part)
{
    /// <summary>Timeouts are as configured.</summary>
    public static readonly TimeoutScale None = new([], 0);

    /// <summary>The idle timeout of a connection without a request in flight; milliseconds, 0 for none.</summary>
    public long ConnectionIdle(long configured) => Of(ScaledTimer.ConnectionIdle, configured);

    /// <summary>The idle timeout of a request; milliseconds, 0 for none.</summary>
    public long StreamIdle(long configured) => Of(ScaledTimer.StreamIdle, configured);

    /// <summary>The longest life of a connection; milliseconds, 0 for no bound.</summary>
    public long ConnectionMax(long configured) => Of(ScaledTimer.ConnectionMax, configured);

    private long Of(ScaledTimer which, long configured)
    {
        if (part <= 0 || configured == 0)
        {
            return configured; // a timeout that was switched off stays so
        }
        for (var i = 0; i < timers.Count; i++)
        {
            var timer = timers[i];
            if (timer.Timer == which)
            {
                var least = timer.MinTimeout is { } time ? time.TotalMilliseconds : configured * timer.MinScale;
                return least < configured ? System.Math.Max(1, (long)(configured - ((configured - least) * part))) : configured;
            }
        }
        return configured;
    }
}
