using System;
using System.Buffers;
using System.IO;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Proxy.Transport;

/// <summary>
/// What a connection has received and nobody has taken yet: one contiguous rented buffer. A reader looks at <see cref="Memory"/>, takes what it understood and asks for more.
/// One reader at a time; <see cref="Release"/> tolerates a read that is still pending.
/// </summary>
internal sealed class ReceiveBuffer(Stream stream)
{
    /// <summary>What <see cref="FillAsync"/> gives when the connection broke.</summary>
    public const int Broken = -1;

    private const int MinBuffer = 2048; // most heads fit; it is what an idle connection holds
    private const int BulkBuffer = 64 * 1024;

    private byte[] buffer = [];
    private int start;
    private int end;
    private bool filled; // the last receive filled the buffer: more is waiting
    private int reading; // 1 while a read of the stream is pending
    private FairShare share;

    public ReadOnlyMemory<byte> Memory => buffer.AsMemory(start, end - start);

    public ReadOnlySpan<byte> Span => buffer.AsSpan(start, end - start);

    public int Count => end - start;

    /// <summary>Puts bytes in front that were read before. Only at the start.</summary>
    public void Preload(ReadOnlySpan<byte> bytes)
    {
        buffer = ArrayPool<byte>.Shared.Rent(Math.Max(bytes.Length, MinBuffer));
        bytes.CopyTo(buffer);
        end = bytes.Length;
    }

    /// <summary>These bytes were understood.</summary>
    public void Take(int count) => start += count;

    /// <summary>Receives more behind what is there. What <see cref="Memory"/> gave before is no longer valid.</summary>
    /// <returns>Count of new bytes, 0 at the end of the stream, <see cref="Broken"/> when it broke.</returns>
    public ValueTask<int> FillAsync()
    {
        EnsureSpace();
        Volatile.Write(ref reading, 1);
        ValueTask<int> read;
        try
        {
            read = stream.ReadAsync(buffer.AsMemory(end));
        }
        catch (Exception e) when (IsGone(e))
        {
            Volatile.Write(ref reading, 0);
            return new ValueTask<int>(Broken);
        }
        var over = share.IsOver(read.IsCompleted);
        return read.IsCompletedSuccessfully && !over ? new ValueTask<int>(Received(read.Result)) : FillSlowAsync(read);
    }

    /// <summary>Gives the memory back, unless bytes are waiting in it.</summary>
    public void ReleaseIfEmpty()
    {
        if (start == end)
        {
            Release();
        }
    }

    /// <summary>Gives the memory back, with what is in it.</summary>
    public void Release()
    {
        start = end = 0;
        if (buffer.Length > 0)
        {
            var old = buffer;
            buffer = [];
            if (Volatile.Read(ref reading) == 0)
            {
                ArrayPool<byte>.Shared.Return(old); // else the kernel may still write to it: left to the collector
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> FillSlowAsync(ValueTask<int> read)
    {
        try
        {
            if (read.IsCompleted)
            {
                await FairShare.YieldAsync().ConfigureAwait(false);
            }
            return Received(await read.ConfigureAwait(false));
        }
        catch (Exception e) when (IsGone(e))
        {
            Volatile.Write(ref reading, 0);
            return Broken;
        }
    }

    private int Received(int count)
    {
        Volatile.Write(ref reading, 0);
        filled = count == buffer.Length - end;
        end += count;
        return count;
    }

    private void EnsureSpace()
    {
        if (start == end)
        {
            start = end = 0;
        }
        else if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
        }
        // A peer that outruns the buffer gets a larger one.
        if (end < buffer.Length && !(filled && buffer.Length < BulkBuffer))
        {
            return;
        }
        filled = false;
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length == 0 ? MinBuffer : Math.Max(buffer.Length * 2, end + 1));
        buffer.AsSpan(0, end).CopyTo(larger);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        buffer = larger;
    }

    private static bool IsGone(Exception e) => e is IOException or SocketException or ObjectDisposedException or OperationCanceledException;
}
