using System;
using System.Threading;

namespace Postern.Proxy.Stats;

/// <summary>Counts whole milliseconds by size, in Envoy's default buckets. Anybody may record; nothing is allocated.</summary>
internal sealed class Histogram
{
    private static readonly double[] Bounds =
        [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000];

    private readonly long[] counts = new long[Bounds.Length + 1]; // the last one is beyond all bounds
    private long sum;

    /// <summary>Upper bounds of the buckets, in milliseconds; a value that is equal belongs below.</summary>
    public static ReadOnlySpan<double> UpperBounds => Bounds;

    /// <summary>Counts one value; negative ones (a clock that stepped) count as zero.</summary>
    public void Record(long milliseconds)
    {
        var value = Math.Max(milliseconds, 0);
        var bucket = 0;
        while (bucket < Bounds.Length && value > Bounds[bucket])
        {
            bucket++;
        }
        Interlocked.Increment(ref counts[bucket]);
        Interlocked.Add(ref sum, value);
    }

    /// <summary>A copy. Values recorded meanwhile may be in or not; the count is always that of the buckets.</summary>
    public HistogramReading Read()
    {
        var cumulative = new long[counts.Length];
        var total = 0L;
        for (var i = 0; i < counts.Length; i++)
        {
            total += Interlocked.Read(ref counts[i]);
            cumulative[i] = total;
        }
        return new HistogramReading(cumulative, Interlocked.Read(ref sum));
    }
}
