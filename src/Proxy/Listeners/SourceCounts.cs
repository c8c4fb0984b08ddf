using System.Collections.Generic;
using System.Net;
using System.Threading;

namespace Postern.Proxy.Listeners;

/// <summary>Open connections by who made them. Holds an entry for each source with an open connection, so no more entries than there are connections.</summary>
internal sealed class SourceCounts(int maxPerSource)
{
    private const int Shards = 16; // accept loops of several listeners, and ends on any thread

    private readonly Shard[] shards = MakeShards();

    /// <summary>Sources with open connections.</summary>
    public int Count
    {
        get
        {
            var count = 0;
            foreach (var shard in shards)
            {
                lock (shard.Gate)
                {
                    count += shard.Counts.Count;
                }
            }
            return count;
        }
    }

    /// <summary>Whether that source may have one more; each true needs one <see cref="Leave"/>.</summary>
    public bool TryEnter(IPAddress source)
    {
        var shard = Of(source);
        lock (shard.Gate)
        {
            shard.Counts.TryGetValue(source, out var count);
            if (count >= maxPerSource)
            {
                return false;
            }
            shard.Counts[source] = count + 1;
            return true;
        }
    }

    /// <summary>One is gone.</summary>
    public void Leave(IPAddress source)
    {
        var shard = Of(source);
        lock (shard.Gate)
        {
            if (shard.Counts.TryGetValue(source, out var count) && count > 1)
            {
                shard.Counts[source] = count - 1;
            }
            else
            {
                shard.Counts.Remove(source);
            }
        }
    }

    private static Shard[] MakeShards()
    {
        var made = new Shard[Shards];
        for (var i = 0; i < Shards; i++)
        {
            made[i] = new Shard();
        }
        return made;
    }

    private Shard Of(IPAddress source) => shards[(uint)source.GetHashCode() % Shards];

    private sealed class Shard
    {
        public Lock Gate { get; } = new();

        public Dictionary<IPAddress, int> Counts { get; } = [];
    }
}
