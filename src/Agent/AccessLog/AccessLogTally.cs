using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using Cilium;

namespace Postern.Agent.AccessLog;

/// <summary>Owned by <see cref="AccessLogServer"/>: counters and the last entries. Thread-safe.</summary>
internal sealed class AccessLogTally(AccessLogServerOptions options)
{
    private const string Others = "(others)";
    private readonly Lock gate = new();
    private readonly Dictionary<string, PolicyCounters> byPolicy = new(StringComparer.Ordinal);
    private readonly AccessLogEntry[] ring = new AccessLogEntry[Math.Max(1, options.RingSize)];
    private long entries;
    private long tooLong;
    private long malformed;
    private long refused;

    public void Add(AccessLogEntry entry)
    {
        lock (gate)
        {
            ring[entries++ % ring.Length] = entry;
            var name = entry.Entry.PolicyName;
            if (!byPolicy.ContainsKey(name) && byPolicy.Count >= options.MaxCountedNames)
            {
                name = Others;
            }
            ref var counters = ref CollectionsMarshal.GetValueRefOrAddDefault(byPolicy, name, out _);
            counters = entry.Entry.EntryType switch
            {
                EntryType.Denied => counters with { Denied = counters.Denied + 1 },
                EntryType.Response => counters with { Responses = counters.Responses + 1 },
                _ => counters with { Requests = counters.Requests + 1 },
            };
        }
    }

    public void AddTooLong() => Interlocked.Increment(ref tooLong);

    public void AddMalformed() => Interlocked.Increment(ref malformed);

    public void AddRefused() => Interlocked.Increment(ref refused);

    public AccessLogCounters Read(int connections)
    {
        lock (gate)
        {
            return new AccessLogCounters(
                connections,
                entries,
                Interlocked.Read(ref tooLong),
                Interlocked.Read(ref malformed),
                Interlocked.Read(ref refused),
                new SortedDictionary<string, PolicyCounters>(byPolicy, StringComparer.Ordinal));
        }
    }

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<AccessLogEntry> ReadRecent(int most)
    {
        lock (gate)
        {
            var count = Math.Min(Math.Max(0, most), Math.Min(entries, ring.Length));
            var result = new List<AccessLogEntry>((int)count);
            for (var i = entries - count; i < entries; i++)
            {
                result.Add(ring[i % ring.Length]);
            }
            return result;
        }
    }
}
