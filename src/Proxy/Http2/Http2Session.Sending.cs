using System;
using System.Threading.Tasks;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Proxy.Http2;

/// <summary>What goes out: heads at once, bodies as the windows allow, everything in as few writes as possible.</summary>
internal abstract partial class Http2Session
{
    private static readonly BlockWriter<HeaderBlock> WriteTrailers = HeadWriter.WriteTrailers;

    private readonly HpackEncoder encoder = new(); // under the gate: blocks are decoded in the order in which they are sent
    private OutputBuffer output = new();
    private OutputBuffer spare = new();
    private FlowWindow sendWindow = new(PeerSettings.DefaultWindow);
    private Http2Stream? firstQueued; // streams that have something to send and wait for the connection's window or its output, in turn
    private Http2Stream? lastQueued;
    private bool writing;
    private bool wantsFlushed;
    private int framesInWrite;
    private int controlFramesInWrite;

    /// <summary>Sends a head. It stays in the output until something flushes.</summary>
    /// <returns>False: the stream is over. Null: the head cannot be sent, and nothing was.</returns>
    public bool? SendHead<T>(Http2Stream target, T head, bool end, BlockWriter<T> write)
    {
        lock (Gate)
        {
            return AppendHead(target, head, end, write);
        }
    }

    /// <summary>Sends body bytes, and with <paramref name="ends"/> the end. Completes when all of it is in the output; false when the stream is over.</summary>
    public ValueTask<bool> SendBodyAsync(Http2Stream target, ReadOnlyMemory<byte> data, bool ends, HeaderBlock? trailers)
    {
        var wakes = default(WakeList);
        ValueTask<bool> result;
        bool full;
        lock (Gate)
        {
            if (target.IsReset || target.LocalEnded || dead)
            {
                return new ValueTask<bool>(false);
            }
            target.Pending = data;
            target.PendingEnd = ends;
            target.PendingTrailers = trailers is { Count: > 0 } ? trailers : null;
            if (SendPending(target, int.MaxValue, ref wakes))
            {
                result = new ValueTask<bool>(!target.IsReset);
            }
            else
            {
                target.IsSending = true;
                result = target.Sender.Arm();
                Requeue(target);
            }
            full = output.Length >= OutputHighWater;
        }
        Wake(ref wakes);
        if (full)
        {
            Flush(); // even within a batch: the sender goes on as soon as there is room
        }
        else
        {
            RequestFlush();
        }
        return result;
    }

    /// <summary>What gathered goes out: at once, or with the batch of this thread.</summary>
    public void RequestFlush()
    {
        if (output.Length == 0 || writing)
        {
            if (wantsEnd && !writing)
            {
                Stop(null, wake: true);
            }
            return; // a write under way takes it along
        }
        if (FlushBatch.Current is { } batch)
        {
            batch.Add(this);
        }
        else
        {
            Flush();
        }
    }

    /// <summary>What gathered goes out now, if nobody writes; who writes takes it along.</summary>
    public void Flush()
    {
        lock (Gate)
        {
            if (writing || dead || output.Length == 0)
            {
                return;
            }
            BeginWrite();
        }
        _ = WriteAsync();
    }

    /// <summary>Speaks first: the client's preface, SETTINGS, and the connection's window. In the constructor of the role, so before anything else.</summary>
    protected void Announce(ReadOnlySpan<byte> preface, ReadOnlySpan<(SettingId Id, int Value)> settings)
    {
        output.Raw(preface);
        output.Settings(settings);
        settingsSentAt = Environment.TickCount64;
        var more = receiveWindow.Size - PeerSettings.DefaultWindow;
        if (more > 0)
        {
            output.WindowUpdate(0, more);
        }
    }

    /// <summary>Sends a head. Under the gate.</summary>
    protected bool? AppendHead<T>(Http2Stream target, T head, bool end, BlockWriter<T> write)
    {
        if (target.IsReset || target.LocalEnded || dead)
        {
            return false;
        }
        if (!output.Headers(target.Id, end, head, write, encoder))
        {
            return null;
        }
        if (end)
        {
            var wakes = default(WakeList); // nobody sends: a head is the sender's own call
            EndLocalHalf(target, ref wakes);
        }
        return true;
    }

    /// <summary>A head for a stream that nobody serves. Under the gate.</summary>
    protected void AppendLastHead<T>(int streamId, T head, BlockWriter<T> write) => output.Headers(streamId, end: true, head, write, encoder);

    // Under the gate. True: nothing is left to send.
    private bool SendPending(Http2Stream target, int frames, ref WakeList wakes)
    {
        while (!target.Pending.IsEmpty)
        {
            var count = Math.Min(Math.Min(target.Pending.Length, FrameHeader.MaxPayload), Math.Min(sendWindow.Size, target.SendWindow.Size));
            if (count <= 0 || frames-- == 0 || output.Length >= OutputHighWater)
            {
                return false;
            }
            var last = count == target.Pending.Length && target.PendingEnd && target.PendingTrailers is null;
            output.Data(target.Id, target.Pending.Span[..count], last);
            flood.OnDataSent();
            sendWindow.Take(count);
            target.SendWindow.Take(count);
            target.Pending = target.Pending[count..];
            if (last)
            {
                EndLocalHalf(target, ref wakes);
                return true;
            }
        }
        if (!target.PendingEnd)
        {
            return true;
        }
        if (target.PendingTrailers is not { } trailers)
        {
            output.Data(target.Id, default, end: true);
            flood.OnDataSent();
            EndLocalHalf(target, ref wakes);
        }
        else if (output.Headers(target.Id, end: true, trailers, WriteTrailers, encoder))
        {
            EndLocalHalf(target, ref wakes);
        }
        else
        {
            Reset(target, Http2ErrorCode.InternalError);
            End(target, Unsendable, ref wakes);
        }
        return true;
    }

    private static readonly Errors.ProxyError Unsendable = new(Errors.ErrorCode.UpstreamProtocol, "a trailer has a name or value that HTTP/2 cannot carry");

    private void EndLocalHalf(Http2Stream target, ref WakeList wakes)
    {
        target.LocalEnded = true;
        if (target.RemoteEnded)
        {
            Forget(target);
        }
        else if (target.IsDiscarding)
        {
            Reset(target, Http2ErrorCode.NoError);
            End(target, target.Error, ref wakes, notify: false);
        }
    }

    // Under the gate: a waiting sender whose own window is open takes its turn.
    private void Requeue(Http2Stream target)
    {
        if (!target.IsSending || target.IsQueued || target.SendWindow.Size <= 0)
        {
            return;
        }
        target.IsQueued = true;
        if (lastQueued is null)
        {
            firstQueued = target;
        }
        else
        {
            lastQueued.NextQueued = target;
        }
        lastQueued = target;
    }

    // Under the gate: one frame for each stream in turn, while there is a window and room.
    private void SendQueued(ref WakeList wakes)
    {
        while (firstQueued is { } target && sendWindow.Size > 0 && output.Length < OutputHighWater && !dead)
        {
            firstQueued = target.NextQueued;
            target.NextQueued = null;
            lastQueued = firstQueued is null ? null : lastQueued;
            target.IsQueued = false;
            if (!target.IsSending)
            {
                continue;
            }
            if (SendPending(target, 1, ref wakes))
            {
                if (target.IsSending) // else it ended by what it could not send
                {
                    target.IsSending = false;
                    target.Sender.Result = true;
                    wakes.Add(target.Sender);
                }
            }
            else
            {
                Requeue(target);
            }
        }
    }

    private static void EndSending(Http2Stream target, ref WakeList wakes)
    {
        target.Pending = default;
        if (target.IsSending)
        {
            target.IsSending = false;
            target.Sender.Result = false;
            wakes.Add(target.Sender);
        }
    }

    private void BeginWrite()
    {
        writing = true;
        (output, spare) = (spare, output);
        framesInWrite = spare.Frames;
        controlFramesInWrite = spare.ControlFrames;
    }

    private async Task WriteAsync()
    {
        while (true)
        {
            var failed = false;
            try
            {
                await stream.WriteAsync(spare.Written).ConfigureAwait(false);
            }
            catch (Exception e) when (IsPeerGone(e))
            {
                failed = true;
            }
            var wakes = default(WakeList);
            lock (Gate)
            {
                framesInWrite = controlFramesInWrite = 0;
                spare.Clear(release: Streams.Count == 0 || failed);
                if (failed)
                {
                    Die(ref wakes);
                }
                else
                {
                    SendQueued(ref wakes);
                }
            }
            Wake(ref wakes); // whoever goes on only appends: this goes on writing
            bool ended;
            lock (Gate)
            {
                if (!dead && output.Length > 0)
                {
                    BeginWrite();
                    continue;
                }
                writing = false;
                if (wantsFlushed)
                {
                    flushed.TrySetResult();
                }
                ended = wantsEnd || dead;
            }
            if (ended)
            {
                OnWritten();
            }
            return;
        }
    }

    // The last stream of a connection that ends is out, or nothing goes out any more: the read loop hears of it.
    private void OnWritten()
    {
        if (dead)
        {
            Channel.Control.ShutdownReceive();
        }
        else
        {
            Stop(null, wake: true);
        }
    }

    // Under the gate.
    private void Die(ref WakeList wakes)
    {
        dead = true;
        output.Clear(release: true);
        firstQueued = lastQueued = null;
        foreach (var (_, open) in Streams)
        {
            EndSending(open, ref wakes);
        }
    }
}
