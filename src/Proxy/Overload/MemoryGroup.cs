using System;
using System.Globalization;
using System.IO;

namespace Postern.Proxy.Overload;

/// <summary>
/// A memory control group (cgroup v2, or v1's memory controller). What it uses is counted without the page cache, as the kernel gives that back before it kills:
/// a proxy that writes records would otherwise look full for ever.
/// </summary>
internal sealed class MemoryGroup
{
    private readonly bool isVersion2;

    private MemoryGroup(string folder, bool isVersion2)
    {
        Folder = folder;
        this.isVersion2 = isVersion2;
    }

    /// <summary>Where its files are.</summary>
    public string Folder { get; }

    /// <summary>Bytes; null without one.</summary>
    public long? Limit => ReadNumber(isVersion2 ? "memory.max" : "memory.limit_in_bytes") is { } limit and > 0 and < long.MaxValue / 2 ? limit : null;

    /// <summary>Bytes without page cache, or null: the files cannot be read.</summary>
    public long? Used
    {
        get
        {
            if (ReadNumber(isVersion2 ? "memory.current" : "memory.usage_in_bytes") is not { } current)
            {
                return null;
            }
            return Math.Max(0, current - CacheBytes());
        }
    }

    /// <summary>This process's group, or that one of those around it whose bound is the lowest; null when there are no control groups.</summary>
    /// <param name="membership">As in <c>/proc/self/cgroup</c>.</param>
    /// <param name="mount">As in <c>/sys/fs/cgroup</c>.</param>
    public static MemoryGroup? Find(string membership = "/proc/self/cgroup", string mount = "/sys/fs/cgroup")
    {
        if (PathOf(membership) is not var (path, isVersion2))
        {
            return null;
        }
        var root = isVersion2 ? mount : Path.Combine(mount, "memory");
        MemoryGroup? found = null;
        for (var at = path.Trim('/'); ; at = at[..Math.Max(0, at.LastIndexOf('/'))])
        {
            var group = new MemoryGroup(Path.Combine(root, at), isVersion2);
            if (found is null ? Directory.Exists(group.Folder) : group.Limit < (found.Limit ?? long.MaxValue))
            {
                found = group;
            }
            if (at.Length == 0)
            {
                return found;
            }
        }
    }

    // "0::/kubepods/pod1" of version 2, "5:memory:/kubepods/pod1" of version 1; where both are mounted memory belongs to the one that names it.
    private static (string Path, bool IsVersion2)? PathOf(string membership)
    {
        (string, bool)? found = null;
        foreach (var line in Lines(membership))
        {
            var parts = line.Split(':', 3);
            if (parts.Length == 3 && parts[0] == "0" && parts[1].Length == 0)
            {
                found ??= (parts[2], true);
            }
            else if (parts.Length == 3 && Array.IndexOf(parts[1].Split(','), "memory") >= 0)
            {
                found = (parts[2], false);
            }
        }
        return found;
    }

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private long CacheBytes()
    {
        long cache = 0;
        foreach (var line in Lines(Path.Combine(Folder, "memory.stat")))
        {
            var space = line.IndexOf(' ');
            var name = space < 0 ? "" : line[..space];
            var counts = isVersion2 ? name is "inactive_file" or "active_file" : name is "total_inactive_file" or "total_active_file";
            if (counts && long.TryParse(line.AsSpan(space + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
            {
                cache += bytes;
            }
        }
        return cache;
    }

    // "max" is no number.
    private long? ReadNumber(string file)
    {
        var lines = Lines(Path.Combine(Folder, file));
        return lines.Length > 0 && long.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
    }
}
