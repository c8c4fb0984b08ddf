using System;
using System.Buffers;
using Postern.Filters.Network.Bytes;

namespace Postern.Proxy.Tcp;

/// <summary>
/// Bytes between two filters, or between the last one and its socket. Filled by <see cref="IByteOutput"/>; emptied either at once by the next filter, or in turns by a writer:
/// what is being written keeps its memory, and others are gathered meanwhile. Holds no memory while empty. Guarded by its owner.
/// </summary>
internal sealed class PendingBytes : IByteOutput
{
    private const int MinBuffer = 2048;

    private byte[] buffer = [];
    private int length;
    private byte[]? writing;
    private int writingLength;

    /// <summary>Bytes that wait, those that are being written too.</summary>
    public int Count => length + writingLength;

    /// <summary>Nothing follows what is there.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>The end was passed on.</summary>
    public bool IsEndTaken { get; private set; }

    /// <summary>There is something to pass on.</summary>
    public bool HasNews => length > 0 || (IsEnded && !IsEndTaken);

    /// <summary>What waits and is not being written.</summary>
    public ReadOnlySpan<byte> Span => buffer.AsSpan(0, length);

    public Span<byte> Reserve(int count)
    {
        if (buffer.Length - length < count)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(MinBuffer, Math.Max(length + count, buffer.Length * 2)));
            buffer.AsSpan(0, length).CopyTo(larger);
            Return(buffer);
            buffer = larger;
        }
        return buffer.AsSpan(length);
    }

    public void Advance(int count) => length += count;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        length += bytes.Length;
    }

    public void End() => IsEnded = true;

    /// <summary>All of <see cref="Span"/>, and the end if it is there, was passed on.</summary>
    public void Taken()
    {
        IsEndTaken |= IsEnded;
        length = 0;
        Return(buffer);
        buffer = [];
    }

    /// <summary>What a writer sends next; empty when nothing waits. <see cref="EndWrite"/> must follow before the next one.</summary>
    public ReadOnlyMemory<byte> BeginWrite()
    {
        (writing, writingLength) = (buffer, length);
        (buffer, length) = ([], 0);
        return writing.AsMemory(0, writingLength);
    }

    /// <summary>The write has completed: nobody reads that memory any more.</summary>
    public void EndWrite()
    {
        Return(writing!);
        (writing, writingLength) = (null, 0);
    }

    /// <summary>The end was said to the socket.</summary>
    public void EndTaken() => IsEndTaken = true;

    private static void Return(byte[] array)
    {
        if (array.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }
}
