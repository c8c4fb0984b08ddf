using System;
using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;

namespace Postern.Proxy.Http2;

/// <summary>The life of streams, and the side of them that is received.</summary>
internal abstract partial class Http2Session
{
    /// <summary>The next bytes of a body, or its end.</summary>
    public ValueTask<BodyRead> ReadBodyAsync(Http2Stream target)
    {
        ValueTask<BodyRead> result;
        lock (Gate)
        {
            result = TryTakeBody(target, out var read) ? new ValueTask<BodyRead>(read) : new ValueTask<BodyRead>(target.Reader, target.Reader.Arm());
        }
        RequestFlush(); // a WINDOW_UPDATE for what was read before: where nothing more is there, the peer may be waiting for it
        return result;
    }

    /// <summary>What a reader was woken for.</summary>
    public BodyRead TakeBody(Http2Stream target)
    {
        BodyRead read;
        lock (Gate)
        {
            if (!TryTakeBody(target, out read))
            {
                read = BodyRead.Failed(ErrorCode.Internal, "a reader of an HTTP/2 body was woken for nothing; this is a bug");
            }
        }
        RequestFlush();
        return read;
    }

    /// <summary>Nobody wants the rest of what the peer sends on that stream. Once our half has ended too, the peer is told to stop (RFC 9113 §8.1).</summary>
    public void Discard(Http2Stream target, in ProxyError error)
    {
        var wakes = default(WakeList);
        lock (Gate)
        {
            if (target.RemoteEnded || target.IsReset || target.IsDiscarding)
            {
                return;
            }
            target.IsDiscarding = true;
            target.Error = error;
            Credit(target.Body.Clear());
            WakeReader(target, ref wakes);
            if (target.LocalEnded)
            {
                Reset(target, Http2ErrorCode.NoError);
                End(target, error, ref wakes, notify: false);
            }
        }
        RequestFlush();
        Wake(ref wakes);
    }

    /// <summary>We end the stream before its time. Nothing to do where it is over.</summary>
    public void ResetStream(Http2Stream target, Http2ErrorCode code, in ProxyError error)
    {
        var wakes = default(WakeList);
        lock (Gate)
        {
            if (target.Id != 0 && !target.IsReset && !(target.LocalEnded && target.RemoteEnded))
            {
                Reset(target, code);
                End(target, error, ref wakes, notify: false);
            }
            else if (!target.Error.IsError)
            {
                target.Error = error; // what was received and not read is not wanted
                Credit(target.Body.Clear());
            }
        }
        RequestFlush();
        Wake(ref wakes);
    }

    /// <summary>Its owner is done with it: whatever is not over yet ends now, and what it holds is given back.</summary>
    /// <param name="target">The stream.</param>
    /// <param name="code">For a stream whose message we did not end.</param>
    public void Finish(Http2Stream target, Http2ErrorCode code)
    {
        var wakes = default(WakeList);
        lock (Gate)
        {
            if (target.Id != 0 && !target.IsReset && !(target.LocalEnded && target.RemoteEnded))
            {
                Reset(target, target.LocalEnded ? EndedEarly : code);
                End(target, Gone, ref wakes, notify: false);
            }
            Credit(target.Body.TakeBack() + target.Body.Clear());
        }
        RequestFlush();
        Wake(ref wakes);
    }

    private static readonly ProxyError Gone = new(ErrorCode.DownstreamReset, "the stream is over");

    /// <summary>What tells the peer that the rest of its message is not needed, after ours ended well.</summary>
    protected virtual Http2ErrorCode EndedEarly => Http2ErrorCode.NoError;

    /// <summary>Begins a stream. Under the gate.</summary>
    protected void Open(Http2Stream opened, int id)
    {
        opened.Open(id, peer.InitialWindow, streamWindow);
        Streams.Add(id, opened);
        flood.OnStream();
        Stats.StreamsActive.Increment();
        IdleSince = 0;
    }

    /// <summary>END_STREAM came. Under the gate.</summary>
    protected void EndRemote(Http2Stream target)
    {
        target.RemoteEnded = true;
        if (target.LocalEnded)
        {
            Forget(target);
        }
    }

    /// <summary>The stream is reset, or its connection is gone: who waits for it hears the error, unless it had received everything. Under the gate.</summary>
    protected void End(Http2Stream target, in ProxyError error, ref WakeList wakes, bool notify = true)
    {
        target.IsReset = true;
        Forget(target);
        if (!target.Error.IsError)
        {
            target.Error = error;
        }
        Credit(target.Body.Clear());
        if (notify)
        {
            wakes.Add(target.Notice); // before its reader and its sender, who may ask the owner why
        }
        WakeReader(target, ref wakes);
        EndSending(target, ref wakes);
    }

    /// <summary>Nothing more goes out on it; what it received stays. Under the gate.</summary>
    protected void EndLocal(Http2Stream target, ref WakeList wakes)
    {
        target.IsReset = true;
        Forget(target);
        EndSending(target, ref wakes);
    }

    /// <summary>A fault on the read loop that ends one stream; a fault of the connection where there can be no such stream.</summary>
    protected Http2Fault? ResetStream(int streamId, Http2Fault wrong)
    {
        var wakes = default(WakeList);
        if (ReferenceEquals(wrong, Http2Fault.ContentLength) || ReferenceEquals(wrong, Http2Fault.Malformed))
        {
            Stats.MessagingErrors.Increment();
        }
        lock (Gate)
        {
            if (Streams.TryGetValue(streamId, out var target))
            {
                Reset(target, wrong.Code);
                End(target, ErrorOf(wrong), ref wakes);
            }
            else if (IsIdle(streamId))
            {
                return wrong with { EndsStreamOnly = false };
            }
            else if (!recentlyReset.Contains(streamId))
            {
                RefuseStream(streamId, wrong.Code);
            }
        }
        Wake(ref wakes);
        return null;
    }

    /// <summary>Says RST_STREAM for a stream that never was, or is no more. Under the gate.</summary>
    protected void RefuseStream(int streamId, Http2ErrorCode code)
    {
        Stats.ResetsSent.Increment();
        output.RstStream(streamId, code);
        recentlyReset.Add(streamId);
    }

    /// <summary>We reset that stream: what still comes on it is passed over. Under the gate.</summary>
    protected bool WasResetByUs(int streamId) => recentlyReset.Contains(streamId);

    /// <summary>There is something to read. Under the gate.</summary>
    protected static void WakeReader(Http2Stream target, ref WakeList wakes)
    {
        if (target.Reader.IsArmed)
        {
            target.Reader.IsArmed = false;
            wakes.Add(target.Reader);
        }
    }

    /// <summary>The peer resets streams before they are answered. Under the gate.</summary>
    protected Http2Fault? CountPrematureReset() => flood.OnPrematureReset();

    /// <summary>The peer leaves: with the last stream the connection ends. Under the gate.</summary>
    protected void EndWhenUnused() => wantsEnd = Streams.Count == 0;

    /// <summary>Wakes who waits, in one batch. Nobody holds the gate.</summary>
    protected static void Wake(ref WakeList wakes)
    {
        if (wakes.IsEmpty)
        {
            return;
        }
        var batch = FlushBatch.Open();
        try
        {
            wakes.WakeAll();
        }
        finally
        {
            batch?.Close();
        }
    }

    private void Reset(Http2Stream target, Http2ErrorCode code)
    {
        if (!dead)
        {
            RefuseStream(target.Id, code);
        }
    }

    private void Forget(Http2Stream target)
    {
        if (!Streams.Remove(target.Id))
        {
            return;
        }
        flood.OnStreamEnd();
        Stats.StreamsActive.Decrement();
        if (Streams.Count == 0)
        {
            IdleSince = Environment.TickCount64;
            wantsEnd = drained || PeerIsLeaving;
        }
    }

    /// <summary>The peer said GOAWAY: with the last stream the connection ends.</summary>
    protected bool PeerIsLeaving { get; set; }

    // Under the gate.
    private bool TryTakeBody(Http2Stream target, out BodyRead read)
    {
        Credit(target, target.Body.TakeBack());
        if (!target.Body.IsEmpty)
        {
            var data = target.Body.Lend(out var isLast);
            read = new BodyRead(data, isLast && target.RemoteEnded, ProxyError.None);
            return true;
        }
        if (target.Error.IsError)
        {
            read = new BodyRead(default, false, target.Error);
            return true;
        }
        read = BodyRead.End;
        return target.RemoteEnded;
    }

    // Under the gate: bytes of the connection's window are free again.
    private void Credit(int bytes)
    {
        consumed += bytes;
        if (consumed > 0 && consumed >= Options.InitialConnectionWindow / 2 && !dead)
        {
            output.WindowUpdate(0, consumed);
            receiveWindow.TryGrow(consumed);
            consumed = 0;
        }
    }

    // Likewise, and of the stream's.
    private void Credit(Http2Stream target, int bytes)
    {
        Credit(bytes);
        if (bytes == 0 || target.RemoteEnded || target.IsReset)
        {
            return;
        }
        target.Consumed += bytes;
        if (target.Consumed >= streamWindow / 2 && !dead)
        {
            output.WindowUpdate(target.Id, target.Consumed);
            target.ReceiveWindow.TryGrow(target.Consumed);
            target.Consumed = 0;
        }
    }
}
