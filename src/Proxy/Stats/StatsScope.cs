using System;
using System.Collections.Generic;
using System.Threading;

namespace Postern.Proxy.Stats;

/// <summary>
/// The cells of one owner (a listener, a cluster, an HTTP connection manager's prefix). Owners of the same name share them: a changed listener
/// counts on where the old one is. Cells are made at configuration time and live as long as somebody has the scope.
/// </summary>
internal sealed class StatsScope
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, object> cells = new(StringComparer.Ordinal);
    private readonly List<(StatName Name, object Cell)> order = [];

    public StatsScope(ScopeName name) => Name = name;

    public ScopeName Name { get; }

    /// <summary>Owners; the registry's.</summary>
    public int Owners { get; set; }

    /// <summary>The counter of that name, made when it is first asked for.</summary>
    public Counter Counter(string leaf) => Cell<Counter>(leaf);

    /// <summary>The gauge of that name.</summary>
    public Gauge Gauge(string leaf) => Cell<Gauge>(leaf);

    /// <summary>The histogram of that name.</summary>
    public Histogram Histogram(string leaf) => Cell<Histogram>(leaf);

    /// <summary>Adds a reading of each cell.</summary>
    public void Read(List<StatSample> samples)
    {
        lock (gate)
        {
            foreach (var (name, cell) in order)
            {
                samples.Add(Sample(name, cell));
            }
        }
    }

    private static StatSample Sample(StatName name, object cell)
    {
        switch (cell)
        {
            case Counter counter:
                var count = counter.Value;
                return new StatSample(name, StatKind.Counter, count, count != 0);
            case Gauge gauge:
                return new StatSample(name, StatKind.Gauge, gauge.Value, gauge.IsUsed);
            default:
                var reading = ((Histogram)cell).Read();
                return new StatSample(name, StatKind.Histogram, 0, reading.Count != 0) { Histogram = reading };
        }
    }

    private T Cell<T>(string leaf)
        where T : class, new()
    {
        lock (gate)
        {
            if (cells.TryGetValue(leaf, out var found))
            {
                return (T)found;
            }
            var made = new T();
            cells.Add(leaf, made);
            order.Add((StatName.Within(Name, leaf), made));
            return made;
        }
    }
}
