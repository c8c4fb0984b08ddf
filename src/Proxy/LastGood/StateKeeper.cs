using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Proxy.LastGood;

/// <summary>
/// Keeps what control planes said on disk. Updates only mark a book; a timer writes at most once in <see cref="WriteInterval"/>, so a burst of
/// updates costs one file. A disk that fails costs one warning and nothing else.
/// </summary>
internal sealed class StateKeeper : IDisposable
{
    /// <summary>Least time between two writes.</summary>
    public static readonly TimeSpan WriteInterval = TimeSpan.FromSeconds(1);

    /// <summary>A disk that failed is tried again after this time.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(30);

    private readonly StateDirectory directory;
    private readonly BootstrapConfig bootstrap;
    private readonly TimeProvider time;
    private readonly Action<string> warn;
    private readonly Dictionary<string, StateBook> books = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private readonly Lock writing = new();
    private readonly ITimer timer;
    private DateTimeOffset retryAt; // after a failure; else the past
    private bool complained;

    public StateKeeper(StateDirectory directory, BootstrapConfig bootstrap, TimeSpan maxAge, TimeProvider time, Action<string> warn)
    {
        this.directory = directory;
        this.bootstrap = bootstrap;
        this.time = time;
        this.warn = warn;
        MaxAge = maxAge;
        timer = time.CreateTimer(_ => OnTimer(), null, WriteInterval, WriteInterval);
    }

    /// <summary>Older state is not used.</summary>
    public TimeSpan MaxAge { get; }

    /// <summary>The book of a type and source.</summary>
    public StateBook Book(ResourceType type, ConfigSourceConfig source)
    {
        var name = source is AdsSourceConfig ? $"ads {bootstrap.AdsSource}" : source.ToString()!;
        var file = directory.FileOf(type.ShortName, name);
        lock (gate)
        {
            if (!books.TryGetValue(file, out var book))
            {
                books.Add(file, book = new StateBook(file, type, bootstrap.Node.Id, name, time));
            }
            return book;
        }
    }

    /// <summary>What is on disk and may be used; what may not be costs one line.</summary>
    public SavedState? Load(StateBook book)
    {
        try
        {
            return book.Load(MaxAge);
        }
        catch (Exception e) when (e is StateFileException or IOException or UnauthorizedAccessException)
        {
            warn($"state on disk is not used: {book.File} {e.Message}");
            return null;
        }
    }

    /// <summary>Writes now what is not written yet.</summary>
    public void Flush()
    {
        StateBook[] all;
        lock (gate)
        {
            all = [.. books.Values];
        }
        var failed = false;
        lock (writing)
        {
            foreach (var book in all)
            {
                try
                {
                    book.Flush();
                }
                catch (Exception e) when (e is StateFileException or IOException or UnauthorizedAccessException)
                {
                    failed = true;
                    retryAt = time.GetUtcNow() + RetryInterval;
                    if (!complained)
                    {
                        complained = true; // once: it will most likely go on
                        warn($"state cannot be written, a restart without a control plane will deny everything: {book.File}: {e.Message}; see --state-dir");
                    }
                }
            }
            if (complained && !failed)
            {
                complained = false;
                warn("state is written again");
            }
        }
    }

    private void OnTimer()
    {
        if (time.GetUtcNow() >= retryAt)
        {
            Flush();
        }
    }

    public void Dispose()
    {
        timer.Dispose();
        Flush();
    }
}
