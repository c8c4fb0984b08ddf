using System;
using System.IO;
using System.Threading;

namespace Postern.Records.Json;

/// <summary>
/// Lines to a file or standard output. Callers copy into a bounded queue; one background thread writes batches. When the disk is full or the
/// path has become unwritable, the thread keeps the batch at hand, tries again every second and says so through the log callback; meanwhile
/// the queue fills up, and further lines are dropped and counted.
/// </summary>
public sealed class FileLineOutput : ILineOutput, IDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    private readonly FileLineOptions options;
    private readonly Action<string> log;
    private readonly LineQueue queue;
    private readonly LineFile file;
    private readonly Thread thread;
    private readonly TokenBucket warnings = new(burst: 3, refillMillis: 10_000); // owned by the thread
    private volatile bool reopen;
    private volatile bool stop;
    private long written; // interlocked
    private long dropped; // interlocked
    private long bytes;   // interlocked
    private int disposed;

    /// <summary>Opens the file and starts the thread.</summary>
    /// <param name="options">Where to, how much.</param>
    /// <param name="log">Gets one line of text per problem, rate-limited. Called on the background thread.</param>
    /// <exception cref="RecordSinkException">The path cannot be opened for writing.</exception>
    public FileLineOutput(FileLineOptions options, Action<string> log)
    {
        this.options = options;
        this.log = log;
        file = new LineFile(options);
        try
        {
            file.Open();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new RecordSinkException($"cannot open the record file '{options.Path}' for writing: {e.Message} Does its folder exist, and may this user write there? '-' means standard output.", e);
        }

        queue = new LineQueue(options.QueueBytes, options.FlushInterval);
        thread = new Thread(Run) { IsBackground = true, Name = "postern-records" };
        thread.Start();
    }

    /// <inheritdoc/>
    public bool IsListening => true;

    /// <inheritdoc/>
    public long Written => Interlocked.Read(ref written);

    /// <inheritdoc/>
    public long Dropped => Interlocked.Read(ref dropped);

    /// <inheritdoc/>
    public long Bytes => Interlocked.Read(ref bytes);

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> line)
    {
        if (queue.TryAdd(line))
        {
            Interlocked.Increment(ref written);
            Interlocked.Add(ref bytes, line.Length);
        }
        else
        {
            Interlocked.Increment(ref dropped);
        }
    }

    /// <summary>Opens the path anew before the next write: call it after the file was moved away (logrotate).</summary>
    public void Reopen()
    {
        reopen = true;
        queue.Wake();
    }

    /// <summary>Writes what is waiting, for at most the configured time; what is left then is lost and counted as dropped.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
        {
            return;
        }

        stop = true;
        queue.Close();
        if (thread.Join(options.DisposeTimeout))
        {
            queue.Dispose();
            return;
        }

        log($"record file {options.Path}: still not writable after {options.DisposeTimeout.TotalSeconds:0.#} s at shutdown; the last records are lost");
    }

    private void Run()
    {
        while (true)
        {
            var last = stop;
            if (reopen)
            {
                reopen = false;
                file.Dispose(); // the next append opens the path
                TryOpen();
            }

            var batch = queue.Take(out var count);
            if (count != 0)
            {
                WriteBatch(batch.Span, count);
            }
            else if (last)
            {
                file.Dispose();
                return;
            }
            else
            {
                queue.Wait();
            }
        }
    }

    private void WriteBatch(ReadOnlySpan<byte> batch, int count)
    {
        while (true)
        {
            var last = stop;
            try
            {
                file.Append(batch, out var rotationError);
                if (rotationError is not null)
                {
                    Warn($"{rotationError.Message}; the file grows on");
                }

                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                file.Dispose(); // a stale handle must not survive; the next try opens the path anew
                if (last)
                {
                    Lose(batch.Length, count);
                    log($"cannot write records to {options.Path} at shutdown: {e.Message}; {count} records lost");
                    return;
                }

                Warn($"cannot write records to {options.Path}: {e.Message}; trying again every second, {Dropped} records dropped so far");
            }

            queue.Pause(RetryPause);
        }
    }

    private void TryOpen()
    {
        try
        {
            file.Open();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Warn($"cannot reopen the record file {options.Path}: {e.Message}");
        }
    }

    private void Lose(int length, int count)
    {
        Interlocked.Add(ref written, -count);
        Interlocked.Add(ref bytes, -length);
        Interlocked.Add(ref dropped, count);
    }

    private void Warn(string text)
    {
        if (warnings.TryTake(out var suppressed))
        {
            log(suppressed == 0 ? text : $"{text} ({suppressed} like it not shown)");
        }
    }
}
