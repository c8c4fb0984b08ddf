using System;
using System.Diagnostics.CodeAnalysis;
using System.Threading;

namespace Postern.Grpc.Client;

/// <summary>
/// The end of one call, written once. Owner: the call. It comes from the peer, from the deadline, from the caller's token or from
/// the channel's close; whatever it is, <see cref="Token"/> fires, so that nobody waits for the transport any more.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "a token source without timer or links holds nothing to give back")]
internal sealed class CallEnd(TimeProvider time, CallOptions options, Action release, CancellationToken channelClosed)
{
    public static readonly Status DeadlineStatus = new(StatusCode.DeadlineExceeded, "the deadline passed");

    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    private readonly CancellationTokenSource ended = new();
    private readonly long started = time.GetTimestamp();
    private CancellationTokenRegistration byCaller;
    private CancellationTokenRegistration byChannel;
    private ITimer? timer;
    private CallOutcome? outcome;

    /// <summary>Null while the call is open.</summary>
    public CallOutcome? Outcome => Volatile.Read(ref outcome);

    /// <summary>Fires at the end.</summary>
    public CancellationToken Token => ended.Token;

    public bool DeadlinePassed => options.Deadline is { } deadline && time.GetElapsedTime(started) >= deadline;

    /// <summary>Begins to watch clock and tokens.</summary>
    public void Arm()
    {
        if (options.Deadline is { } deadline)
        {
            if (deadline <= TimeSpan.Zero)
            {
                Set(DeadlineStatus);
            }
            else
            {
                timer = time.CreateTimer(static state => ((CallEnd)state!).Set(DeadlineStatus), this, deadline < LongestTimer ? deadline : LongestTimer, Timeout.InfiniteTimeSpan);
            }
        }
        byCaller = options.CancellationToken.UnsafeRegister(static state => ((CallEnd)state!).Set(new Status(StatusCode.Cancelled, "the caller cancelled the call")), this);
        byChannel = channelClosed.UnsafeRegister(static state => ((CallEnd)state!).Set(new Status(StatusCode.Cancelled, "the channel was closed")), this);
        if (Outcome is not null)
        {
            Disarm();
        }
    }

    /// <summary>Ends the call, unless it has ended.</summary>
    public void Set(CallOutcome how)
    {
        if (Interlocked.CompareExchange(ref outcome, how, null) is not null)
        {
            return;
        }
        Disarm();
        ended.Cancel();
        release();
    }

    private void Set(Status status) => Set(new CallOutcome(status, [], null));

    // Unregister, not Dispose: this may run inside one of these callbacks, and never waits for another.
    private void Disarm()
    {
        timer?.Dispose();
        byCaller.Unregister();
        byChannel.Unregister();
    }
}
