using System;
using System.Collections.Generic;

namespace Postern.Xds.Discovery.Streams;

/// <summary>State of one (stream, type), guarded by the lock of its multiplexer: who wants which names.</summary>
internal sealed class WatchList
{
    private readonly HashSet<Watch> all = [];
    private readonly List<Watch> wildcard = [];
    private readonly Dictionary<string, List<Watch>> byName = new(StringComparer.Ordinal);

    public IReadOnlyCollection<Watch> All => all;

    /// <summary>Those that want everything.</summary>
    public IReadOnlyList<Watch> Wildcard => wildcard;

    public bool HasNamed => byName.Count > 0;

    /// <summary>Those that asked for it by name.</summary>
    public IReadOnlyList<Watch> Of(string name) => byName.TryGetValue(name, out var watches) ? watches : [];

    public void Add(Watch watch)
    {
        all.Add(watch);
        if (watch.IsWildcard)
        {
            wildcard.Add(watch);
        }
        foreach (var name in watch.Names)
        {
            if (!byName.TryGetValue(name, out var watches))
            {
                byName.Add(name, watches = []);
            }
            watches.Add(watch);
        }
    }

    /// <summary>False: it is not here any more.</summary>
    public bool Remove(Watch watch)
    {
        if (!all.Remove(watch))
        {
            return false;
        }
        wildcard.Remove(watch);
        foreach (var name in watch.Names)
        {
            if (byName.TryGetValue(name, out var watches) && watches.Remove(watch) && watches.Count == 0)
            {
                byName.Remove(name);
            }
        }
        return true;
    }
}
