using System;

namespace Postern.Records;

/// <summary>A rate limit for warnings: <paramref name="burst"/> at once, then one per <paramref name="refillMillis"/>. Not thread-safe; the caller locks.</summary>
internal sealed class TokenBucket(int burst, long refillMillis)
{
    private long tokens = burst;
    private long last = Environment.TickCount64;

    /// <summary>Warnings that were kept back since the last one that passed.</summary>
    public long Suppressed { get; private set; }

    /// <summary>Takes a token if one is there. On true the caller reports <paramref name="suppressed"/> along.</summary>
    public bool TryTake(out long suppressed)
    {
        var now = Environment.TickCount64;
        var refill = (now - last) / refillMillis;
        if (refill > 0)
        {
            tokens = Math.Min(burst, tokens + refill);
            last += refill * refillMillis;
        }

        suppressed = Suppressed;
        if (tokens == 0)
        {
            Suppressed++;
            return false;
        }

        tokens--;
        Suppressed = 0;
        return true;
    }
}
