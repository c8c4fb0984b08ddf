using System;
using System.Buffers;
using System.Threading.Tasks;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Http2;

/// <summary>The read loop: bytes to frames.</summary>
internal abstract partial class Http2Session
{
    private const int IdleBuffer = 4096; // what a quiet connection holds
    private const int FullBuffer = 64 * 1024;

    private byte[] buffer = [];
    private int start; // [start, end) was received and not worked off
    private int end;
    private bool filled; // the last receive filled the buffer: more is waiting
    private int prefaceLeft;
    private FairShare share;

    /// <summary>What every client says first (RFC 9113 §3.4).</summary>
    public static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>The peer ended its direction, or the connection is gone.</summary>
    protected bool IsEndOfStream { get; private set; }

    /// <summary>The connection was reset: nobody is there.</summary>
    protected bool IsPeerReset { get; private set; }

    /// <summary>A head, or the preface, is under way since then; milliseconds of TickCount64, 0 for none.</summary>
    protected long HeadSince { get; private set; }

    /// <summary>Reads and works off frames until either side ends the connection.</summary>
    /// <param name="first">Bytes that come before the transport's.</param>
    protected async Task ReadAllAsync(ReadOnlyMemory<byte> first)
    {
        buffer = ArrayPool<byte>.Shared.Rent(Math.Max(first.Length, IdleBuffer));
        first.Span.CopyTo(buffer);
        end = first.Length;
        while (WorkOff())
        {
            EnsureSpace();
            int count;
            try
            {
                var receive = stream.ReadAsync(buffer.AsMemory(end));
                if (share.IsOver(receive.IsCompleted))
                {
                    await FairShare.YieldAsync().ConfigureAwait(false);
                }
                count = await receive.ConfigureAwait(false);
            }
            catch (Exception e) when (IsPeerGone(e))
            {
                IsPeerReset = true;
                break;
            }
            if (count == 0)
            {
                IsEndOfStream = true;
                break;
            }
            filled = count == buffer.Length - end;
            end += count;
            heardAt = Environment.TickCount64;
        }
        var old = buffer;
        buffer = [];
        ArrayPool<byte>.Shared.Return(old);
        assembly.Clear();
    }

    // All complete frames of what was read, in one batch. False: the connection is to end.
    private bool WorkOff()
    {
        var batch = FlushBatch.Open();
        try
        {
            while (!stopped)
            {
                if (prefaceLeft > 0 && !TakePreface())
                {
                    break;
                }
                if (end - start < FrameHeader.Size)
                {
                    break;
                }
                var frame = FrameHeader.Read(buffer.AsSpan(start));
                var wrong = FrameRules.Check(frame);
                if (wrong is { EndsStreamOnly: false })
                {
                    Stop(wrong, wake: false);
                    return false;
                }
                if (end - start < FrameHeader.Size + frame.Length)
                {
                    break;
                }
                var payload = buffer.AsSpan(start + FrameHeader.Size, frame.Length);
                start += FrameHeader.Size + frame.Length;
                wrong = wrong is null ? OnFrame(frame, payload) : OnWrongFrame(frame, wrong);
                if (wrong is { EndsStreamOnly: true })
                {
                    wrong = ResetStream(frame.StreamId, wrong);
                }
                wrong ??= CheckOutput();
                if (wrong is not null)
                {
                    Stop(wrong, wake: false);
                    return false;
                }
            }
            NoteHead();
            RequestFlush();
            return !stopped;
        }
        finally
        {
            batch?.Close();
        }
    }

    // False: not all of it is there yet, or it is none.
    private bool TakePreface()
    {
        var count = Math.Min(prefaceLeft, end - start);
        if (!buffer.AsSpan(start, count).SequenceEqual(Preface.Slice(Preface.Length - prefaceLeft, count)))
        {
            Stop(Http2Fault.Preface, wake: false);
            return false;
        }
        start += count;
        prefaceLeft -= count;
        return prefaceLeft == 0;
    }

    // Answers gather until the batch ends; with many of them they go out before, so that only a peer that does not read is taken for a flood.
    private Http2Fault? CheckOutput()
    {
        if (output.ControlFrames > Options.MaxOutboundControlFrames / 4 || output.Frames > Options.MaxOutboundFrames / 4)
        {
            Flush();
            lock (Gate)
            {
                return flood.OnOutput(output.Frames + framesInWrite, output.ControlFrames + controlFramesInWrite);
            }
        }
        return null;
    }

    private void NoteHead()
    {
        var unfinished = assembly.StreamId != 0 || prefaceLeft > 0
            || (end - start > 3 && (FrameType)buffer[start + 3] is FrameType.Headers or FrameType.Continuation);
        HeadSince = !unfinished ? 0 : HeadSince != 0 ? HeadSince : Environment.TickCount64;
    }

    private void EnsureSpace()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
        }
        if (filled && buffer.Length < FullBuffer)
        {
            Resize(Math.Min(FullBuffer, buffer.Length * 4));
        }
        else if (end == buffer.Length || (end >= FrameHeader.Size && FrameHeader.Read(buffer).Length + FrameHeader.Size > buffer.Length))
        {
            Resize(FullBuffer / 2); // a whole frame
        }
        else if (end == 0 && buffer.Length > IdleBuffer && IdleSince != 0)
        {
            Resize(IdleBuffer);
        }
    }

    private void Resize(int size)
    {
        var other = ArrayPool<byte>.Shared.Rent(size);
        buffer.AsSpan(0, end).CopyTo(other);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = other;
    }
}
