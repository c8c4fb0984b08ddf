using System;
using System.Diagnostics;
using System.IO;
using System.Threading;

namespace Postern.Tproxy.Steering;

/// <summary>
/// Says who steers in a network namespace: an flock'd file that its owner holds from install to removal. The kernel lets go of it when the
/// process dies however it dies, so "rules there, lock free" means leftovers, and "lock held" means somebody's living steering.
/// </summary>
internal sealed class SteeringLock : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private readonly FileStream file;

    private SteeringLock(FileStream file) => this.file = file;

    /// <summary>For an owner, in whatever mode it steers. A start that only looks for leftovers holds it for a moment, and that much is waited for.</summary>
    /// <exception cref="TproxyException">Another process steers in this network namespace, or the lock file cannot be made.</exception>
    internal static SteeringLock Take(SteeringOptions options, Action<string> log)
    {
        if (TryTake(options.LockDirectory, TimeSpan.Zero) is { } free)
        {
            return free;
        }

        var patience = options.CommandTimeout < Patience ? options.CommandTimeout : Patience;
        log($"steering: {Holder(options)} has the steering of this network namespace; waiting {patience.TotalSeconds:0.#} s for it to let go");
        return TryTake(options.LockDirectory, patience)
            ?? throw new TproxyException($"another process steers in this network namespace: {Holder(options)} holds {PathIn(options.LockDirectory)}; stop it first, or run this one without steering");
    }

    /// <summary>For the removal of what nobody owns: does it while the lock is free. Says so, and does nothing, while somebody steers; a fault goes to the log too.</summary>
    /// <returns>What the removal returned; false if it was not done.</returns>
    internal static bool IfFree(SteeringOptions options, Action<string> log, Func<bool> remove)
    {
        try
        {
            using var taken = TryTake(options.LockDirectory, TimeSpan.Zero);
            if (taken is null)
            {
                log($"steering: another process steers in this network namespace ({Holder(options)}); what it has installed is left in place");
                return false;
            }

            return remove();
        }
        catch (TproxyException error)
        {
            log($"steering: could not look for leftovers of an earlier run: {error.Message}");
            return false;
        }
    }

    /// <summary>Null if another steering holds it until <paramref name="patience"/> is over.</summary>
    /// <exception cref="TproxyException">The lock file cannot be made.</exception>
    internal static SteeringLock? TryTake(string directory, TimeSpan patience)
    {
        var path = PathIn(directory);
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                Directory.CreateDirectory(directory);
                // FileShare.None is flock(LOCK_EX | LOCK_NB) on Linux, and the descriptor is not inherited by commands. The file is never deleted: a waiter could then lock a name that is gone.
                return new SteeringLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (UnauthorizedAccessException error)
            {
                throw Unwritable(path, error);
            }
            catch (IOException error) when (error is DirectoryNotFoundException or PathTooLongException || !File.Exists(path))
            {
                throw Unwritable(path, error);
            }
            catch (IOException)
            {
                if (clock.Elapsed >= patience)
                {
                    return null;
                }

                Thread.Sleep(Pause);
            }
        }
    }

    public void Dispose() => file.Dispose();

    internal static string PathIn(string directory) => Path.Combine(directory, $"steering-{NamespaceNumber()}.lock");

    /// <summary>The inode number of the calling thread's network namespace, which tells it from all others that there are.</summary>
    internal static string NamespaceNumber()
    {
        // "net:[4026531840]", of this thread: tests and agents enter namespaces by thread.
        var name = new FileInfo("/proc/thread-self/ns/net").LinkTarget ?? "net:[0]";
        return name.Replace("net:[", string.Empty, StringComparison.Ordinal).TrimEnd(']');
    }

    private static string Holder(SteeringOptions options) => OpenFile.HolderOf(PathIn(options.LockDirectory)) ?? "a process that cannot be seen from here";

    private static TproxyException Unwritable(string path, Exception error) =>
        new($"cannot take the steering lock {path}: {error.Message}; make its folder writable or choose another with LockDirectory", error);
}
