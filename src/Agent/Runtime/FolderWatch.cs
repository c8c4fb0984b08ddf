using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;

namespace Postern.Agent.Runtime;

/// <summary>
/// Tells when something below a folder may have changed: by the kernel's notice once it is quiet, or by a look every few seconds, which also finds
/// what is behind links (a ConfigMap's <c>..data</c>) and on file systems without notices. The callback only tells; it must not block.
/// </summary>
public sealed class FolderWatch : IDisposable
{
    private const int MostEntries = 100_000; // a folder beyond this is a mistake, like /

    private readonly string folder;
    private readonly Action changed;
    private readonly TimeSpan quiet;
    private readonly TimeSpan poll;
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private readonly Lock gate = new();
    private FileSystemWatcher? watcher;
    private long? firstNotice;
    private ulong last;
    private bool disposed;

    /// <summary>Starts watching.</summary>
    /// <param name="folder">May be missing: its coming is a change.</param>
    /// <param name="changed">Called after a change.</param>
    /// <param name="time">Clock.</param>
    /// <param name="quiet">How long nothing may happen before a change is told: writers write in pieces. Null is 50 ms.</param>
    /// <param name="poll">How often to look without a notice. Null is 5 s.</param>
    public FolderWatch(string folder, Action changed, TimeProvider time, TimeSpan? quiet = null, TimeSpan? poll = null)
    {
        ArgumentNullException.ThrowIfNull(time);
        this.folder = Path.GetFullPath(folder);
        this.changed = changed;
        this.time = time;
        this.quiet = quiet ?? TimeSpan.FromMilliseconds(50);
        this.poll = poll ?? TimeSpan.FromSeconds(5);
        Watch();
        last = Fingerprint();
        timer = time.CreateTimer(_ => Look(), null, this.poll, Timeout.InfiniteTimeSpan);
    }

    /// <summary>No callback begins after this.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            watcher?.Dispose();
            timer.Dispose();
        }
    }

    private void Notice()
    {
        lock (gate)
        {
            // A writer that never rests must not put the change off for ever.
            firstNotice ??= time.GetTimestamp();
            if (!disposed && time.GetElapsedTime(firstNotice.Value) < TimeSpan.FromSeconds(1))
            {
                timer.Change(quiet, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Look()
    {
        bool noticed;
        lock (gate)
        {
            if (disposed)
            {
                return;
            }
            noticed = firstNotice is not null;
            firstNotice = null;
            Watch();
            timer.Change(poll, Timeout.InfiniteTimeSpan);
        }
        var now = Fingerprint();
        if (noticed || now != last)
        {
            last = now;
            changed();
        }
    }

    private void Watch()
    {
        if (watcher is not null && Directory.Exists(folder))
        {
            return;
        }
        watcher?.Dispose();
        watcher = null;
        try
        {
            watcher = new FileSystemWatcher(folder) { IncludeSubdirectories = true };
            watcher.Changed += (_, _) => Notice();
            watcher.Created += (_, _) => Notice();
            watcher.Deleted += (_, _) => Notice();
            watcher.Renamed += (_, _) => Notice();
            watcher.Error += (_, _) => Notice();
            watcher.EnableRaisingEvents = true;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // Missing, or no inotify instance left: the looks have to do.
            watcher?.Dispose();
            watcher = null;
        }
    }

    /// <summary>Of names, sizes and times, links followed.</summary>
    private ulong Fingerprint()
    {
        ulong sum = 0;
        var entries = 0;
        var pending = new Stack<(string Path, int Depth)>([(folder, 0)]);
        while (pending.TryPop(out var at) && entries < MostEntries)
        {
            try
            {
                foreach (var entry in Directory.EnumerateFileSystemEntries(at.Path))
                {
                    entries++;
                    if (Directory.Exists(entry))
                    {
                        if (at.Depth < 8)
                        {
                            pending.Push((entry, at.Depth + 1));
                        }
                        continue;
                    }
                    var target = new FileInfo(new FileInfo(entry).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? entry);
                    sum += (ulong)HashCode.Combine(entry, target.Exists ? target.Length : -1, target.Exists ? target.LastWriteTimeUtc.Ticks : 0) * 0x9E3779B97F4A7C15;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                sum += 1; // being changed just now
            }
        }
        return sum;
    }
}
