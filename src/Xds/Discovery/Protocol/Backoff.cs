using System;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>State of one stream, owned by its loop: how long to wait before the next attempt. Exponential with full jitter.</summary>
/// <param name="jitter">Between 0 and 1.</param>
internal sealed class Backoff(Func<double> jitter)
{
    private static readonly TimeSpan Base = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Cap = TimeSpan.FromSeconds(30);

    private TimeSpan ceiling = Base;

    /// <summary>The wait after a stream has ended; the next one may be twice as long.</summary>
    public TimeSpan Next()
    {
        var delay = ceiling * jitter();
        ceiling = ceiling * 2 < Cap ? ceiling * 2 : Cap;
        return delay;
    }

    /// <summary>A message came: the control plane is there. (An opened stream proves nothing.)</summary>
    public void Reset() => ceiling = Base;
}
