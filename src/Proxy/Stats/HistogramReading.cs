using System;

namespace Postern.Proxy.Stats;

/// <summary>A copy of a histogram.</summary>
/// <param name="Cumulative">Values up to each of <see cref="Histogram.UpperBounds"/>, and all of them last.</param>
/// <param name="Sum">Of all values, milliseconds.</param>
internal sealed record HistogramReading(long[] Cumulative, long Sum)
{
    /// <summary>Values.</summary>
    public long Count => Cumulative[^1];

    /// <summary>An estimate in milliseconds: linear within the bucket; beyond the last bound that bound. NaN without values.</summary>
    /// <param name="quantile">From 0 to 1.</param>
    public double Quantile(double quantile)
    {
        if (Count == 0)
        {
            return double.NaN;
        }
        var rank = quantile * Count;
        var bounds = Histogram.UpperBounds;
        for (var i = 0; i < bounds.Length; i++)
        {
            var before = i == 0 ? 0 : Cumulative[i - 1];
            if (Cumulative[i] > before && Cumulative[i] >= rank)
            {
                var lower = i == 0 ? 0 : bounds[i - 1];
                return lower + ((bounds[i] - lower) * Math.Clamp((rank - before) / (Cumulative[i] - before), 0, 1));
            }
        }
        return bounds[^1];
    }
}
