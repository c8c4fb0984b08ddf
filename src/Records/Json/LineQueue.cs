using System;
using System.Threading;

namespace Postern.Records.Json;

/// <summary>
/// A bounded double buffer between many writers and one reader. Writers copy a whole line under a lock held for that copy only; the reader
/// swaps the full buffer against its empty one. A line is in entirely or not at all, so lines never interleave.
/// The reader polls while lines come in, and sleeps for good after a while without any: then, and when a buffer is half full, a writer wakes it.
/// So a writer pays for a wake-up only after a quiet time.
/// </summary>
internal sealed class LineQueue : IDisposable
{
    private const int QuietPollsBeforeSleep = 20;

    private readonly Lock gate = new();
    private readonly AutoResetEvent wake = new(false);
    private readonly TimeSpan poll;
    private byte[] filling; // guarded by gate
    private byte[] drained; // owned by the reader
    private int length;     // bytes in filling; guarded by gate
    private int lines;      // lines in filling; guarded by gate
    private bool asleep;    // reader waits without a timeout; guarded by gate
    private bool closed;    // no more lines; guarded by gate
    private int quietPolls; // owned by the reader

    public LineQueue(int capacity, TimeSpan poll)
    {
        filling = GC.AllocateUninitializedArray<byte>(capacity);
        drained = GC.AllocateUninitializedArray<byte>(capacity);
        this.poll = poll;
    }

    /// <summary>False when full or closed.</summary>
    public bool TryAdd(ReadOnlySpan<byte> line)
    {
        bool signal;
        lock (gate)
        {
            if (closed || line.Length > filling.Length - length)
            {
                return false;
            }

            line.CopyTo(filling.AsSpan(length));
            var half = filling.Length / 2;
            signal = asleep || (length < half && length + line.Length >= half);
            asleep = false;
            length += line.Length;
            lines++;
        }

        if (signal)
        {
            wake.Set();
        }

        return true;
    }

    /// <summary>Reader: what came in since the last call; may be empty. The bytes are valid until the next call.</summary>
    public ReadOnlyMemory<byte> Take(out int count)
    {
        lock (gate)
        {
            (filling, drained) = (drained, filling);
            var taken = drained.AsMemory(0, length);
            count = lines;
            length = 0;
            lines = 0;
            quietPolls = taken.IsEmpty ? quietPolls + 1 : 0;
            return taken;
        }
    }

    /// <summary>Reader: waits for the next poll, or for a writer when it has been quiet.</summary>
    public void Wait()
    {
        if (quietPolls < QuietPollsBeforeSleep)
        {
            wake.WaitOne(poll);
            return;
        }

        lock (gate)
        {
            if (length != 0 || closed)
            {
                return;
            }

            asleep = true;
        }

        wake.WaitOne();
    }

    /// <summary>Reader: waits for <paramref name="time"/> or a wake-up, whatever is in the queue.</summary>
    public void Pause(TimeSpan time) => wake.WaitOne(time);

    /// <summary>Wakes the reader.</summary>
    public void Wake() => wake.Set();

    /// <summary>Refuses lines from now on and wakes the reader.</summary>
    public void Close()
    {
        lock (gate)
        {
            closed = true;
        }

        wake.Set();
    }

    public void Dispose() => wake.Dispose();
}
