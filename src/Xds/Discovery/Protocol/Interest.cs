using System;
using System.Collections.Generic;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// State of one (stream, type), owned by its type state: the names somebody here wants, and those the control plane was told of on this
/// stream. The wildcard is the name <c>*</c>. Several may want the same name.
/// </summary>
internal sealed class Interest
{
    public const string Wildcard = "*";

    private readonly Dictionary<string, int> wanted = new(StringComparer.Ordinal);
    private readonly HashSet<string> told = new(StringComparer.Ordinal);
    private readonly HashSet<string> added = new(StringComparer.Ordinal);
    private readonly HashSet<string> removed = new(StringComparer.Ordinal);

    /// <summary>Nobody wants anything.</summary>
    public bool IsEmpty => wanted.Count == 0;

    /// <summary>Only the wildcard is wanted.</summary>
    public bool IsWildcardOnly => wanted.Count == 1 && wanted.ContainsKey(Wildcard);

    /// <summary>To subscribe to, since the last flush. Holds names that were told already when they were given up and taken again in between.</summary>
    public IReadOnlyCollection<string> Added => added;

    /// <summary>To unsubscribe from, since the last flush.</summary>
    public IReadOnlyCollection<string> Removed => removed;

    /// <summary>Something was added or removed, even if it came out the same.</summary>
    public bool HasChange => added.Count > 0 || removed.Count > 0;

    /// <summary>What is wanted differs from what was told.</summary>
    public bool Differs => removed.Count > 0 || (added.Count > 0 && !added.IsSubsetOf(told));

    /// <summary>The control plane believes that everything is wanted.</summary>
    public bool IsToldWildcard => told.Contains(Wildcard);

    /// <summary>Whether a resource of that name is for anybody here.</summary>
    public bool Covers(string name) => wanted.ContainsKey(name) || wanted.ContainsKey(Wildcard);

    /// <summary>Whether the control plane believes that this name is wanted.</summary>
    public bool IsTold(string name) => told.Contains(name) || told.Contains(Wildcard);

    public void Add(string name)
    {
        if (wanted.TryGetValue(name, out var count))
        {
            wanted[name] = count + 1;
            return;
        }
        wanted.Add(name, 1);
        if (removed.Remove(name) || !told.Contains(name))
        {
            added.Add(name);
        }
    }

    public void Remove(string name)
    {
        if (!wanted.TryGetValue(name, out var count))
        {
            return;
        }
        if (count > 1)
        {
            wanted[name] = count - 1;
            return;
        }
        wanted.Remove(name);
        added.Remove(name);
        if (told.Contains(name))
        {
            removed.Add(name);
        }
    }

    /// <summary>A new stream knows nothing.</summary>
    public void StartStream()
    {
        told.Clear();
        removed.Clear();
        added.Clear();
        added.UnionWith(wanted.Keys);
    }

    /// <summary>The changes have been put into a request.</summary>
    public void Flush()
    {
        told.UnionWith(added);
        told.ExceptWith(removed);
        added.Clear();
        removed.Clear();
    }

    /// <summary>The wanted names in ordinal order.</summary>
    public string[] Names()
    {
        var names = new string[wanted.Count];
        wanted.Keys.CopyTo(names, 0);
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }
}
