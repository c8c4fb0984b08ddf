using System;

namespace Postern.Agent.Supervise;

/// <summary>How long to wait before the next launch: 200 ms, doubled with each early end up to 10 s, and jittered, so that nodes do not move in step.</summary>
/// <param name="random">Gives 0 to 1.</param>
public sealed class RestartBackoff(Func<double> random)
{
    /// <summary>A life of this length makes the next wait a short one again.</summary>
    public static readonly TimeSpan Healthy = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <summary>Early ends in a row.</summary>
    public int EarlyEnds { get; private set; }

    /// <summary>Counts an end and says how long to wait: from half of the step to the whole.</summary>
    public TimeSpan Next(TimeSpan lived)
    {
        EarlyEnds = lived >= Healthy ? 0 : EarlyEnds + 1;
        var step = Math.Min(First.TotalMilliseconds * Math.Pow(2, Math.Clamp(EarlyEnds - 1, 0, 10)), Longest.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(step * (0.5 + 0.5 * random()));
    }
}
