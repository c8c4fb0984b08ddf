using System;
using System.Collections.Generic;
using System.Linq;

namespace Postern.Agent.Identities;

/// <summary>
/// Hands out numbers for keys and remembers them after they are released, so that a pod that comes back has its number again and records
/// of yesterday still mean the same. Owned by <see cref="IdentityAllocator"/>; not thread-safe.
/// </summary>
internal sealed class NumberPool
{
    private const int MaxRemembered = 16_384; // released ones; the longest unused are forgotten first

    private readonly Dictionary<string, Entry> byKey = new(StringComparer.Ordinal);
    private readonly Dictionary<uint, string> byNumber = [];
    private long round;
    private readonly uint first;
    private readonly uint last;
    private uint next;

    public NumberPool(uint first, uint last)
    {
        this.first = first;
        this.last = last;
        next = first;
    }

    private sealed class Entry
    {
        public required uint Number { get; init; }

        public long UsedInRound { get; set; }
    }

    /// <summary>Starts a compilation: what is not asked for until the next one counts as released.</summary>
    public void BeginRound()
    {
        round++;
        if (byKey.Count <= MaxRemembered)
        {
            return;
        }
        var released = byKey.Where(pair => pair.Value.UsedInRound < round - 1)
            .OrderBy(pair => pair.Value.UsedInRound).ThenBy(pair => pair.Value.Number).Select(pair => pair.Key).ToList();
        foreach (var key in released.Take(Math.Max(released.Count - MaxRemembered, 0)))
        {
            Forget(key);
        }
    }

    /// <summary>The key's number, or null when all numbers are in use.</summary>
    public uint? Take(string key)
    {
        if (byKey.TryGetValue(key, out var known))
        {
            known.UsedInRound = round;
            return known.Number;
        }
        if (byNumber.Count > last - first)
        {
            var oldest = byKey.Where(pair => pair.Value.UsedInRound < round).OrderBy(pair => pair.Value.UsedInRound).ThenBy(pair => pair.Value.Number).FirstOrDefault();
            if (oldest.Key is null)
            {
                return null;
            }
            Forget(oldest.Key);
        }
        while (byNumber.ContainsKey(next))
        {
            next = Following(next);
        }
        var number = next;
        Put(key, number);
        next = Following(number);
        return number;
    }

    /// <summary>Gives the key this number; who had it moves on.</summary>
    public void Claim(string key, uint number)
    {
        if (byKey.TryGetValue(key, out var known) && known.Number == number)
        {
            known.UsedInRound = round;
            return;
        }
        if (byNumber.TryGetValue(number, out var holder))
        {
            Forget(holder);
        }
        Forget(key);
        Put(key, number);
    }

    /// <summary>What to keep across a restart.</summary>
    public PoolState Save() => new(next, [.. byKey.OrderBy(pair => pair.Value.UsedInRound).ThenBy(pair => pair.Value.Number).Select(pair => new PoolEntry(pair.Key, pair.Value.Number))]);

    /// <summary>Takes over what was kept; false when it contradicts itself, then nothing is taken over.</summary>
    public bool TryLoad(PoolState state)
    {
        var fits = state.Next >= first && state.Next <= last && state.Known is { Length: <= 200_000 }
            && state.Known.All(entry => entry is { Key.Length: > 0 and <= 65_536 } && entry.Number >= first && entry.Number <= last)
            && state.Known.DistinctBy(entry => entry.Key).Count() == state.Known.Length
            && state.Known.DistinctBy(entry => entry.Number).Count() == state.Known.Length;
        for (var i = 0; fits && i < state.Known.Length; i++)
        {
            round = i;
            Put(state.Known[i].Key, state.Known[i].Number);
        }
        next = fits ? state.Next : next;
        return fits;
    }

    private uint Following(uint number) => number == last ? first : number + 1;

    private void Put(string key, uint number)
    {
        byKey.Add(key, new Entry { Number = number, UsedInRound = round });
        byNumber.Add(number, key);
    }

    private void Forget(string key)
    {
        if (byKey.Remove(key, out var entry))
        {
            byNumber.Remove(entry.Number);
        }
    }
}

/// <summary>A pool in the state file.</summary>
/// <param name="Next">Where the search for a free number goes on.</param>
/// <param name="Known">Longest unused first.</param>
internal sealed record PoolState(uint Next, PoolEntry[] Known);

/// <summary>A key and its number.</summary>
internal sealed record PoolEntry(string Key, uint Number);
