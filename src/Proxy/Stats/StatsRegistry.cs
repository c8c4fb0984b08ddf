using System;
using System.Collections.Generic;
using System.Threading;

namespace Postern.Proxy.Stats;

/// <summary>
/// All stats of a proxy. Scopes come and go with configuration; the data path has its cells at hand and never looks anything up.
/// The number of scopes is bounded: beyond it a new owner gets cells that nobody reads, and <c>postern.stats.scopes_over_limit</c> counts it.
/// </summary>
internal sealed class StatsRegistry
{
    /// <summary>Enough for ten thousand clusters and as many listeners.</summary>
    public const int DefaultMaxScopes = 20_000;

    private readonly Lock gate = new();
    private readonly Dictionary<string, StatsScope> scopes = new(StringComparer.Ordinal);
    private readonly List<IStatsSource> sources = [];
    private readonly int maxScopes;
    private long overLimit;

    public StatsRegistry(int maxScopes = DefaultMaxScopes)
    {
        this.maxScopes = maxScopes;
        Policy = new PolicyStats(this);
        Http1 = new Http1Stats(Acquire(Http1Stats.Name));
        Http2 = new Http2Stats(Acquire(Http2Stats.Name));
        WebSocket = new WebSocketStats(Acquire(WebSocketStats.Name));
    }

    /// <summary>Stats of policy as such.</summary>
    public PolicyStats Policy { get; }

    /// <summary>Stats of HTTP/1 on all listeners.</summary>
    public Http1Stats Http1 { get; }

    /// <summary>Stats of HTTP/2 on all listeners and clusters.</summary>
    public Http2Stats Http2 { get; }

    /// <summary>Stats of the WebSocket network filters of all listeners.</summary>
    public WebSocketStats WebSocket { get; }

    /// <summary>The scope of that name, shared with its other owners. Each call needs one <see cref="Release"/>.</summary>
    public StatsScope Acquire(ScopeName name)
    {
        lock (gate)
        {
            if (!scopes.TryGetValue(name.Dotted, out var scope))
            {
                scope = new StatsScope(name);
                if (scopes.Count >= maxScopes)
                {
                    overLimit++;
                    return scope;
                }
                scopes.Add(name.Dotted, scope);
            }
            scope.Owners++;
            return scope;
        }
    }

    /// <summary>One owner is gone; the last one takes the cells out of every later reading.</summary>
    public void Release(StatsScope scope)
    {
        lock (gate)
        {
            if (scopes.TryGetValue(scope.Name.Dotted, out var listed) && ReferenceEquals(listed, scope) && --scope.Owners == 0)
            {
                scopes.Remove(scope.Name.Dotted);
            }
        }
    }

    /// <summary>Adds stats that are kept elsewhere; for the life of the registry.</summary>
    public void AddSource(IStatsSource source)
    {
        lock (gate)
        {
            sources.Add(source);
        }
    }

    /// <summary>A reading of everything, by name; each name once.</summary>
    public IReadOnlyList<StatSample> Read()
    {
        StatsScope[] listed;
        IStatsSource[] others;
        var samples = new List<StatSample>();
        lock (gate)
        {
            listed = [.. scopes.Values];
            others = [.. sources];
            samples.Add(StatSample.Counter("postern.stats.scopes_over_limit", overLimit));
        }
        foreach (var scope in listed)
        {
            scope.Read(samples);
        }
        foreach (var source in others)
        {
            source.Read(samples);
        }
        samples.Sort(static (a, b) => string.CompareOrdinal(a.Name.Dotted, b.Name.Dotted));
        return Distinct(samples);
    }

    // A cluster named "a.b" and another way to the same name: one line must not contradict another.
    private static List<StatSample> Distinct(List<StatSample> sorted)
    {
        var result = new List<StatSample>(sorted.Count);
        foreach (var sample in sorted)
        {
            if (result.Count == 0 || result[^1].Name.Dotted != sample.Name.Dotted)
            {
                result.Add(sample);
            }
        }
        return result;
    }
}
