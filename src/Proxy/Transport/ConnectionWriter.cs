using System;
using System.Buffers;
using System.IO;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Proxy.Transport;

/// <summary>
/// The output of Kestrel's HTTP server straight onto the connection's stream: what was written between two flushes goes out in one send.
/// A flush completes when the kernel has taken the bytes, so a slow client slows its own response and nothing else.
/// Kestrel serialises its writers.
/// </summary>
internal sealed class ConnectionWriter(Stream stream, IConnectionControl control) : PipeWriter
{
    private const int MinBuffer = 4096;

    private byte[] buffer = [];
    private int length;
    private bool failed;
    private volatile bool flushing; // a send is under way: the kernel may still read the buffer

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => length;

    public override void Advance(int bytes) => length += bytes;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureSpace(sizeHint);
        return buffer.AsMemory(length);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        EnsureSpace(sizeHint);
        return buffer.AsSpan(length);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (length == 0 || failed)
        {
            length = 0;
            return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: failed));
        }
        ValueTask write;
        try
        {
            write = stream.WriteAsync(buffer.AsMemory(0, length), cancellationToken);
        }
        catch (Exception e) when (IsPeerGone(e))
        {
            failed = true;
            length = 0;
            return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: true));
        }
        if (write.IsCompletedSuccessfully)
        {
            write.GetAwaiter().GetResult();
            ReleaseBuffer();
            return new ValueTask<FlushResult>(default(FlushResult));
        }
        flushing = true;
        return FlushSlowAsync(write);
    }

    public override void CancelPendingFlush()
    {
        // A flush waits only for the kernel; who wants it to end aborts the connection, which ends it.
    }

    public override void Complete(Exception? exception = null)
    {
        if (exception is not null)
        {
            control.Reset();
        }
    }

    public override async ValueTask CompleteAsync(Exception? exception = null)
    {
        if (exception is null)
        {
            await FlushAsync().ConfigureAwait(false);
        }
        Complete(exception);
    }

    /// <summary>Gives the buffer back; an idle connection holds none.</summary>
    public void ReleaseBuffer()
    {
        length = 0;
        if (buffer.Length > 0)
        {
            var old = buffer;
            buffer = [];
            if (!flushing)
            {
                ArrayPool<byte>.Shared.Return(old); // else it is left to the collector
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> FlushSlowAsync(ValueTask write)
    {
        try
        {
            await write.ConfigureAwait(false);
        }
        catch (Exception e) when (IsPeerGone(e))
        {
            failed = true; // the reader side learns of it as IsCompleted, as with a pipe
        }
        flushing = false;
        ReleaseBuffer();
        return new FlushResult(isCanceled: false, isCompleted: failed);
    }

    private static bool IsPeerGone(Exception e) => e is IOException or SocketException or ObjectDisposedException;

    private void EnsureSpace(int sizeHint)
    {
        var needed = Math.Max(sizeHint, 1);
        if (buffer.Length - length >= needed)
        {
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(MinBuffer, buffer.Length * 2), length + needed));
        buffer.AsSpan(0, length).CopyTo(larger);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        buffer = larger;
    }
}
