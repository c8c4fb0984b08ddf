namespace Postern.Proxy.Stats;

/// <summary>Counters of responses by their first digit.</summary>
internal sealed class ResponseClassCounters
{
    private readonly Counter[] classes = new Counter[5];
    private readonly Counter completed;

    /// <param name="scope">Where they stand.</param>
    /// <param name="prefix">Like <c>downstream_rq</c>.</param>
    public ResponseClassCounters(StatsScope scope, string prefix)
    {
        for (var i = 0; i < classes.Length; i++)
        {
            classes[i] = scope.Counter($"{prefix}_{i + 1}xx");
        }
        completed = scope.Counter(prefix + "_completed");
    }

    /// <summary>Counts a final status; what is no HTTP status is left out.</summary>
    public void Count(int status)
    {
        var index = (status / 100) - 1;
        if ((uint)index < (uint)classes.Length)
        {
            classes[index].Increment();
            completed.Increment();
        }
    }
}
