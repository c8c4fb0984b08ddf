namespace Postern.Proxy.Stats;

/// <summary>One reading of one stat.</summary>
/// <param name="Name">What.</param>
/// <param name="Kind">Decides which of the values below counts.</param>
/// <param name="Value">Of a counter or gauge.</param>
/// <param name="IsUsed">It was ever written; <c>usedonly</c> leaves the others out.</param>
internal sealed record StatSample(StatName Name, StatKind Kind, long Value, bool IsUsed = true)
{
    /// <summary>Of a histogram.</summary>
    public HistogramReading? Histogram { get; init; }

    /// <summary>Of a text.</summary>
    public string Text { get; init; } = "";

    /// <summary>A gauge that was read just now.</summary>
    public static StatSample Gauge(string name, long value) => new(StatName.Plain(name), StatKind.Gauge, value);

    /// <summary>A counter that somebody else keeps.</summary>
    public static StatSample Counter(string name, long value) => new(StatName.Plain(name), StatKind.Counter, value, value != 0);
}

/// <summary>Kinds of stats.</summary>
internal enum StatKind
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Counts values by size.</summary>
    Histogram,

    /// <summary>A version or the like; not for Prometheus.</summary>
    Text,
}
