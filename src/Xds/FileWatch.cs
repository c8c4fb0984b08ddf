using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Threading;

namespace Postern.Xds;

/// <summary>
/// Tells when the content behind a path may have changed: written in place, replaced by a rename, or reached through another
/// symlink. Kubernetes mounts a ConfigMap as <c>file → ..data/file</c>, <c>..data → ..timestamp/</c> and swaps <c>..data</c>, so
/// the directory of every link on the way is watched. What happens to the file or to one of the links is reported without a look at
/// the file: a write may leave its size and time as they were. Other events there only ask for such a look.
/// A slow poll covers file systems without notifications. The callback runs on this object's own thread, one at a time.
/// </summary>
public sealed class FileWatch : IDisposable
{
    private readonly string path;
    private readonly Action changed;
    private readonly FileWatchOptions options;
    private readonly AutoResetEvent wake = new(false);
    private readonly Dictionary<string, FileSystemWatcher> watchers = new(StringComparer.Ordinal);
    private readonly Thread thread;
    private volatile LinkChain chain;
    private int touched; // 1: something happened to an entry of the chain
    private volatile bool stopping;

    /// <summary>Starts watching. The file and even its directory may be missing: their coming is a change.</summary>
    /// <param name="path">The file.</param>
    /// <param name="changed">Called after a change; must not throw.</param>
    /// <param name="options">Null takes the defaults.</param>
    public FileWatch(string path, Action changed, FileWatchOptions? options = null)
    {
        this.path = Path.GetFullPath(path);
        this.changed = changed;
        this.options = options ?? FileWatchOptions.Default;
        chain = LinkChain.Of(this.path);
        var start = Fingerprint.Of(this.path);
        WatchDirectories();
        thread = new Thread(() => Run(start)) { IsBackground = true, Name = "file watch" };
        thread.Start();
    }

    /// <summary>Stops; after this no callback begins, and a running one has ended (unless it is the caller).</summary>
    public void Dispose()
    {
        stopping = true;
        wake.Set();
        if (Thread.CurrentThread != thread)
        {
            thread.Join();
        }
    }

    private void Run(Fingerprint last)
    {
        while (!stopping)
        {
            var notified = wake.WaitOne(options.Poll);
            if (notified)
            {
                WaitForQuiet();
            }
            if (stopping)
            {
                break;
            }
            // The flag is taken before the look, so that what comes in between is looked at again.
            var mine = Interlocked.Exchange(ref touched, 0) == 1;
            WatchDirectories();
            var now = Fingerprint.Of(path);
            if (mine || now != last)
            {
                last = now;
                changed();
            }
        }
        foreach (var watcher in watchers.Values)
        {
            watcher.Dispose();
        }
    }

    private void WaitForQuiet()
    {
        var since = Stopwatch.GetTimestamp();
        while (!stopping && Stopwatch.GetElapsedTime(since) < options.MaxDelay && wake.WaitOne(options.Quiet))
        {
        }
    }

    // Called by the constructor, then only by the thread.
    private void WatchDirectories()
    {
        if (!options.UseNotifications)
        {
            return;
        }
        var wanted = LinkChain.Of(path);
        chain = wanted;
        foreach (var (directory, watcher) in watchers)
        {
            if (!wanted.Directories.Contains(directory) || !Directory.Exists(directory))
            {
                watcher.Dispose();
                watchers.Remove(directory); // Dictionary allows removal while it is enumerated
            }
        }
        foreach (var directory in wanted.Directories)
        {
            if (!watchers.ContainsKey(directory) && TryWatch(directory) is { } watcher)
            {
                watchers.Add(directory, watcher);
            }
        }
    }

    private FileSystemWatcher? TryWatch(string directory)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(directory)
            {
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.CreationTime,
            };
            watcher.Changed += OnEvent;
            watcher.Created += OnEvent;
            watcher.Deleted += OnEvent;
            watcher.Renamed += OnEvent;
            watcher.Error += (_, _) => wake.Set();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // Missing directory or no inotify instance left: the poll has to do.
            watcher?.Dispose();
            return null;
        }
    }

    private void OnEvent(object sender, FileSystemEventArgs e)
    {
        if (chain.Contains(e.FullPath))
        {
            Volatile.Write(ref touched, 1);
        }
        wake.Set();
    }
}
