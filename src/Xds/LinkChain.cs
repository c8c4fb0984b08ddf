using System;
using System.Collections.Generic;
using System.IO;

namespace Postern.Xds;

/// <summary>The directory entries that decide what a path leads to: the path, and every link followed on the way, among the parents too.</summary>
internal sealed class LinkChain
{
    private const int MaxLinks = 32; // loops end here

    private readonly HashSet<string> entries = new(StringComparer.Ordinal);

    private LinkChain()
    {
    }

    /// <summary>Directories that hold the entries.</summary>
    public HashSet<string> Directories { get; } = new(StringComparer.Ordinal);

    /// <summary>Of a full path.</summary>
    public static LinkChain Of(string path)
    {
        var chain = new LinkChain();
        var pending = new Stack<string>();
        pending.Push(path);
        for (var links = 0; pending.Count > 0 && links <= MaxLinks; links++)
        {
            var at = pending.Pop();
            if (!chain.Add(at))
            {
                continue;
            }
            // A link among the parents (a ConfigMap's ..data) is an entry of a directory of its own.
            for (var up = at; Path.GetDirectoryName(up) is { Length: > 0 }; up = Path.GetDirectoryName(up)!)
            {
                if (Target(up) is { } target)
                {
                    chain.Add(up);
                    pending.Push(target);
                }
            }
        }
        return chain;
    }

    /// <summary>Whether the entry is one of these, by full path.</summary>
    public bool Contains(string entry) => entries.Contains(entry);

    private bool Add(string entry)
    {
        if (Path.GetDirectoryName(entry) is { Length: > 0 } directory)
        {
            Directories.Add(directory);
        }
        return entries.Add(entry);
    }

    private static string? Target(string entry)
    {
        try
        {
            return new FileInfo(entry).LinkTarget is { } target ? Path.GetFullPath(target, Path.GetDirectoryName(entry)!) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A link that cannot be read cannot be followed; the poll notices when that changes.
            return null;
        }
    }
}
