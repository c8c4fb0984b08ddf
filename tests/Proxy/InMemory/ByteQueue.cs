using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>
/// One direction of an in-memory connection: bytes in order, then an end (FIN) or a reset. A read may be limited to so many bytes, so that every
/// dialogue can also be run with the smallest possible deliveries.
/// </summary>
internal sealed class ByteQueue(int maxRead = int.MaxValue)
{
    private readonly Lock gate = new();
    private byte[] buffer = new byte[4096];
    private int start;
    private int end;
    private bool ended;
    private bool reset;
    private TaskCompletionSource? waiting;

    /// <summary>Everything that was written has been read, and somebody waits for more.</summary>
    public bool IsReaderWaiting
    {
        get
        {
            lock (gate)
            {
                return start == end && waiting is not null;
            }
        }
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            if (reset || ended)
            {
                throw new IOException("the in-memory connection is closed for writing");
            }
            if (buffer.Length - end < bytes.Length)
            {
                var larger = new byte[Math.Max(buffer.Length * 2, end - start + bytes.Length)];
                buffer.AsSpan(start, end - start).CopyTo(larger);
                (buffer, end, start) = (larger, end - start, 0);
            }
            bytes.CopyTo(buffer.AsSpan(end));
            end += bytes.Length;
            Wake();
        }
    }

    /// <summary>FIN.</summary>
    public void End()
    {
        lock (gate)
        {
            ended = true;
            Wake();
        }
    }

    /// <summary>RST: what was not read yet is lost.</summary>
    public void Reset()
    {
        lock (gate)
        {
            reset = true;
            Wake();
        }
    }

    /// <summary>Like a socket: waits for a byte, 0 at the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> into, CancellationToken cancellationToken)
    {
        while (true)
        {
            TaskCompletionSource wait;
            lock (gate)
            {
                if (reset)
                {
                    throw new IOException("connection reset by peer");
                }
                if (start < end)
                {
                    var count = Math.Min(Math.Min(into.Length, end - start), maxRead);
                    buffer.AsSpan(start, count).CopyTo(into.Span);
                    start += count;
                    return count;
                }
                if (ended)
                {
                    return 0;
                }
                wait = waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            await wait.Task.WaitAsync(cancellationToken);
        }
    }

    private void Wake()
    {
        waiting?.TrySetResult();
        waiting = null;
    }
}
