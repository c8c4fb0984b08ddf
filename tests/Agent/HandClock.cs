using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Tests.Agent;

/// <summary>A clock that moves by hand; timers fire in order while it does.</summary>
internal sealed class HandClock : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<HandTimer> timers = [];
    private TimeSpan now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Timers that wait now: what is under test has reached its pause.</summary>
    public int Waiting
    {
        get
        {
            lock (gate)
            {
                return timers.Count;
            }
        }
    }

    public override long GetTimestamp()
    {
        lock (gate)
        {
            return now.Ticks;
        }
    }

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new HandTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        lock (gate)
        {
            now += by;
        }
        while (TakeDue() is { } due)
        {
            due.Callback();
        }
    }

    private HandTimer? TakeDue()
    {
        lock (gate)
        {
            HandTimer? first = null;
            foreach (var timer in timers)
            {
                first = timer.Due <= now && (first is null || timer.Due < first.Due) ? timer : first;
            }
            if (first is not null)
            {
                timers.Remove(first);
            }
            return first;
        }
    }

    private sealed class HandTimer(HandClock clock, Action callback) : ITimer
    {
        public TimeSpan Due { get; private set; }

        public Action Callback => callback;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock.gate)
            {
                clock.timers.Remove(this);
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    Due = clock.now + dueTime;
                    clock.timers.Add(this);
                }
            }
            return true;
        }

        public void Dispose()
        {
            lock (clock.gate)
            {
                clock.timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
