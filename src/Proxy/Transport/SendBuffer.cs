using System;
using System.Buffers;
using System.IO;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Tasks;

namespace Postern.Proxy.Transport;

/// <summary>
/// What waits to be sent on a connection: heads and small pieces gather and go out in one send. A send completes when the kernel has taken the bytes, so a slow peer
/// slows its own messages and nothing else. One writer at a time.
/// </summary>
internal sealed class SendBuffer(Stream stream)
{
    private const int MinBuffer = 2048;
    private const int Copied = 16 * 1024; // a piece up to this is copied behind what waits; a larger one goes out from where it is

    private byte[] buffer = [];
    private int length;
    private volatile bool sending; // the kernel may still read the buffer

    /// <summary>The peer takes nothing any more.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Bytes that wait.</summary>
    public int Count => length;

    /// <summary>Room for so many bytes, to be followed by <see cref="Advance"/>.</summary>
    public Span<byte> Reserve(int count)
    {
        if (buffer.Length - length < count)
        {
            Grow(count);
        }
        return buffer.AsSpan(length);
    }

    public void Advance(int count) => length += count;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        length += bytes.Length;
    }

    /// <summary>Latin-1: one byte a character.</summary>
    public void Append(ReadOnlySpan<char> text) => length += Encoding.Latin1.GetBytes(text, Reserve(text.Length));

    /// <summary>Puts data behind what waits: a small piece waits too, a large one goes out now. False: the peer is gone.</summary>
    public ValueTask<bool> SendAsync(ReadOnlyMemory<byte> data)
    {
        if (data.Length + length <= Copied)
        {
            Append(data.Span);
            return new ValueTask<bool>(!IsBroken);
        }
        return SendLargeAsync(data);
    }

    /// <summary>Everything that waits goes out now. False: the peer is gone.</summary>
    public ValueTask<bool> FlushAsync()
    {
        if (length == 0 || IsBroken)
        {
            length = 0;
            return new ValueTask<bool>(!IsBroken);
        }
        ValueTask write;
        try
        {
            write = stream.WriteAsync(buffer.AsMemory(0, length));
        }
        catch (Exception e) when (IsGone(e))
        {
            return new ValueTask<bool>(Break());
        }
        if (write.IsCompletedSuccessfully)
        {
            write.GetAwaiter().GetResult();
            length = 0;
            return new ValueTask<bool>(true);
        }
        sending = true;
        return FlushSlowAsync(write);
    }

    /// <summary>Gives the memory back; what waits is dropped.</summary>
    public void Release()
    {
        length = 0;
        if (buffer.Length > 0)
        {
            var old = buffer;
            buffer = [];
            if (!sending)
            {
                ArrayPool<byte>.Shared.Return(old); // else it is left to the collector
            }
        }
    }

    private static bool IsGone(Exception e) => e is IOException or SocketException or ObjectDisposedException or OperationCanceledException;

    private bool Break()
    {
        IsBroken = true;
        length = 0;
        return false;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> FlushSlowAsync(ValueTask write)
    {
        try
        {
            await write.ConfigureAwait(false);
            length = 0;
            return true;
        }
        catch (Exception e) when (IsGone(e))
        {
            return Break();
        }
        finally
        {
            sending = false;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> SendLargeAsync(ReadOnlyMemory<byte> data)
    {
        // What waits goes with the first part of the data, so that a head never travels alone.
        var room = Math.Min(Math.Max(0, Copied - length), data.Length);
        if (length > 0 && room > 0)
        {
            Append(data.Span[..room]);
            data = data[room..];
        }
        if (!await FlushAsync().ConfigureAwait(false))
        {
            return false;
        }
        try
        {
            if (data.Length > 0)
            {
                await stream.WriteAsync(data).ConfigureAwait(false);
            }
            return true;
        }
        catch (Exception e) when (IsGone(e))
        {
            return Break();
        }
    }

    private void Grow(int count)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(MinBuffer, buffer.Length * 2), length + count));
        buffer.AsSpan(0, length).CopyTo(larger);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        buffer = larger;
    }
}
