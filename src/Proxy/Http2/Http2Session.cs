using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Postern.Proxy.Errors;
using Postern.Proxy.Http2.Hpack;
using Postern.Proxy.Stats;
using Postern.Proxy.Transport;

namespace Postern.Proxy.Http2;

/// <summary>
/// One end of an HTTP/2 connection (RFC 9113), of either role. One loop reads; anybody writes.
/// <code>
///   transport ──► read loop: FrameRules, state, windows ──► role: heads ──► streams' body queues ──► whoever reads them
///   transport ◄── one write at a time ◄── OutputBuffer ◄── heads, DATA as both windows allow, answers to SETTINGS and PING
/// </code>
/// The gate guards streams, windows, the encoder and the output. Waiters are woken after it is given up, mostly on the thread of the read loop: a request runs
/// there until it has to wait for something else.
/// </summary>
internal abstract partial class Http2Session
{
    /// <summary>Most bytes that wait in the output before senders of bodies have to.</summary>
    protected const int OutputHighWater = 128 * 1024;

    private const long SettingsMillis = 10_000;
    private const long LastFlushMillis = 5_000;

    private static readonly ulong KeepAliveMark = 0x6b65657000000000;
    private static readonly ulong DrainMark = 0x647261696e000000;

    private readonly Stream stream;
    private readonly bool isServer;
    private readonly TaskCompletionSource flushed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Http2Fault? fault;
    private bool stopped; // GOAWAY was said for good; nothing more is read
    private long stoppedAt;
    private bool dead; // the transport takes nothing any more
    private bool draining;
    private bool drained; // the second GOAWAY named the last stream
    private bool wantsEnd; // drained, and the last stream is over
    private long drainSince;
    private long settingsSentAt;
    private long pingSentAt;
    private long heardAt = Environment.TickCount64;

    /// <param name="channel">The transport; owned.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="stats">Counts.</param>
    /// <param name="isServer">Our role: a server reads requests.</param>
    /// <param name="limits">Of heads.</param>
    protected Http2Session(TransportChannel channel, Http2Options options, Http2Stats stats, bool isServer, HeadLimits limits)
    {
        Channel = channel;
        stream = channel.Stream;
        Options = options;
        Stats = stats;
        Limits = limits;
        this.isServer = isServer;
        prefaceLeft = isServer ? Preface.Length : 0;
        flood = new FloodGuard(options);
        assembly = new HeaderAssembly(limits.MaxBytes);
        Decoder = new HpackDecoder(options.HpackTableSize);
        receiveWindow = new FlowWindow(Math.Max(options.InitialConnectionWindow, PeerSettings.DefaultWindow));
        streamWindow = Math.Max(options.InitialStreamWindow, PeerSettings.DefaultWindow); // what a peer may send that has not seen our SETTINGS
    }

    /// <summary>Why the connection was stopped, if the peer gave reason.</summary>
    public Http2Fault? Fault => fault;

    /// <summary>GOAWAY was sent.</summary>
    public bool IsDraining => draining || stopped;

    protected Lock Gate { get; } = new();

    protected TransportChannel Channel { get; }

    protected Http2Options Options { get; }

    protected Http2Stats Stats { get; }

    protected HeadLimits Limits { get; }

    /// <summary>The read loop's.</summary>
    protected HpackDecoder Decoder { get; }

    /// <summary>The read loop's.</summary>
    protected HeadReader Heads { get; } = new();

    /// <summary>Streams that are not over, by their id; under the gate.</summary>
    protected Dictionary<int, Http2Stream> Streams { get; } = [];

    /// <summary>Said in GOAWAY: the peer's latest stream that was taken. Under the gate.</summary>
    protected int LastPeerStream { get; set; }

    /// <summary>No stream above <see cref="LastPeerStream"/> is taken any more.</summary>
    protected bool IsClosedToNew => drained || stopped;

    /// <summary>When the last stream ended, or the connection began; 0 while there is one. Milliseconds of TickCount64.</summary>
    protected long IdleSince { get; private set; } = Environment.TickCount64;

    /// <summary>Finish what is in flight, then end (RFC 9113 §6.8): a GOAWAY that refuses nothing, and once the peer has seen it, one that names the last stream.</summary>
    public void BeginDrain()
    {
        lock (Gate)
        {
            if (draining || stopped)
            {
                return;
            }
            draining = true;
            drainSince = Environment.TickCount64;
            output.GoAway(int.MaxValue, Http2ErrorCode.NoError, "");
            Stats.GoAwaysSent.Increment();
            SendPing(DrainMark);
        }
        RequestFlush();
    }

    /// <summary>Says GOAWAY and reads no more. The read loop ends by itself when it is who calls; from elsewhere its read is woken.</summary>
    /// <param name="reason">What the peer did, or null.</param>
    /// <param name="wake">The caller is not the read loop.</param>
    protected void Stop(Http2Fault? reason, bool wake)
    {
        lock (Gate)
        {
            if (stopped)
            {
                return;
            }
            stopped = true;
            fault = reason;
            stoppedAt = Environment.TickCount64;
            output.GoAway(LastPeerStream, reason?.Code ?? Http2ErrorCode.NoError, reason?.Label ?? "");
            Stats.GoAwaysSent.Increment();
        }
        Count(reason);
        Flush();
        if (wake)
        {
            Channel.Control.ShutdownReceive();
        }
    }

    /// <summary>Ends every stream that is open with this error; their owners hear of it.</summary>
    protected void FailStreams(in ProxyError error)
    {
        var wakes = default(WakeList);
        lock (Gate)
        {
            foreach (var open in new List<Http2Stream>(Streams.Values))
            {
                End(open, error, ref wakes);
            }
        }
        Wake(ref wakes);
    }

    /// <summary>What was handed over has gone out, or never will.</summary>
    protected Task WhenFlushedAsync()
    {
        lock (Gate)
        {
            stopped = true;
            stoppedAt = stoppedAt == 0 ? Environment.TickCount64 : stoppedAt;
            if (dead || (!writing && output.Length == 0))
            {
                return Task.CompletedTask;
            }
            wantsFlushed = true;
        }
        Flush();
        return flushed.Task;
    }

    /// <summary>The connection's own times; from the sweeper's thread.</summary>
    protected void SweepSession(long now)
    {
        if (stopped)
        {
            if (writing && stoppedAt != 0 && now - stoppedAt > LastFlushMillis)
            {
                Stats.FlushTimeouts.Increment();
                stoppedAt = 0;
                Channel.Control.Reset();
            }
            return;
        }
        if (settingsSentAt != 0 && now - settingsSentAt > SettingsMillis)
        {
            Stop(Http2Fault.SettingsUnanswered, wake: true);
            return;
        }
        if (draining && !drained && now - drainSince > Options.DrainMillis)
        {
            FinishDrain();
        }
        if (wantsEnd)
        {
            Stop(null, wake: true);
            return;
        }
        SweepKeepAlive(now);
    }

    /// <summary>A stream is about to begin where nothing was heard for <c>connection_idle_interval</c>: a PING goes ahead of it, to find out soon. Under the gate.</summary>
    protected void PingIfQuiet()
    {
        var now = Environment.TickCount64;
        if (Options.KeepAliveIdleMillis > 0 && pingSentAt == 0 && now - heardAt > Options.KeepAliveIdleMillis)
        {
            pingSentAt = now;
            SendPing(KeepAliveMark);
        }
    }

    private void SweepKeepAlive(long now)
    {
        if (pingSentAt != 0)
        {
            if (now - pingSentAt > Math.Max(Options.KeepAliveTimeoutMillis, 1))
            {
                Stop(Http2Fault.KeepAliveUnanswered, wake: true);
            }
        }
        else if (Options.KeepAliveMillis > 0 && now - heardAt > Options.KeepAliveMillis)
        {
            lock (Gate)
            {
                pingSentAt = now;
                SendPing(KeepAliveMark);
            }
            RequestFlush();
        }
    }

    private void FinishDrain()
    {
        lock (Gate)
        {
            if (drained || stopped)
            {
                return;
            }
            drained = true;
            output.GoAway(LastPeerStream, Http2ErrorCode.NoError, "");
            wantsEnd = Streams.Count == 0;
        }
        RequestFlush();
    }

    // Under the gate.
    private void SendPing(ulong mark)
    {
        Span<byte> opaque = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(opaque, mark);
        output.Ping(opaque, ack: false);
    }

    private void Count(Http2Fault? reason)
    {
        if (reason is null)
        {
            return;
        }
        var counter =
            ReferenceEquals(reason, Http2Fault.EmptyFrames) ? Stats.EmptyFramesFlood
            : ReferenceEquals(reason, Http2Fault.PriorityFrames) ? Stats.PriorityFramesFlood
            : ReferenceEquals(reason, Http2Fault.WindowUpdates) ? Stats.WindowUpdateFramesFlood
            : ReferenceEquals(reason, Http2Fault.OutboundFrames) ? Stats.OutboundFlood
            : ReferenceEquals(reason, Http2Fault.OutboundControlFrames) ? Stats.OutboundControlFlood
            : ReferenceEquals(reason, Http2Fault.PrematureResets) ? Stats.PrematureResets
            : ReferenceEquals(reason, Http2Fault.HeaderBlockTooLarge) ? Stats.HeaderOverflow
            : ReferenceEquals(reason, Http2Fault.SettingsUnanswered) ? Stats.SettingsTimeouts
            : ReferenceEquals(reason, Http2Fault.KeepAliveUnanswered) ? Stats.KeepAliveTimeouts
            : Stats.ProtocolErrors;
        counter.Increment();
    }

    private static bool IsPeerGone(Exception e) => e is IOException or SocketException or ObjectDisposedException;
}
