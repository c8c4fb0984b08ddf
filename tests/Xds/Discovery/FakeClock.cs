using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Tests.Xds.Discovery;

/// <summary>A clock that stands until it is moved; timers run on the thread that moves it.</summary>
internal sealed class FakeClock : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<Timer> timers = [];
    private DateTimeOffset now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
        {
            return now;
        }
    }

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        List<Timer> due;
        lock (gate)
        {
            now += by;
            due = timers.Where(timer => timer.Due <= now).OrderBy(timer => timer.Due).ToList();
            timers.RemoveAll(due.Contains);
        }
        due.ForEach(timer => timer.Fire());
    }

    /// <summary>Time until the next timer, or null.</summary>
    public TimeSpan? Next()
    {
        lock (gate)
        {
            return timers.Count == 0 ? null : timers.Min(timer => timer.Due) - now;
        }
    }

    private sealed class Timer(FakeClock clock, Action fire) : ITimer
    {
        public DateTimeOffset Due { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var atOnce = false;
            lock (clock.gate)
            {
                clock.timers.Remove(this);
                if (dueTime > TimeSpan.Zero)
                {
                    Due = clock.now + dueTime;
                    clock.timers.Add(this);
                }
                atOnce = dueTime == TimeSpan.Zero;
            }
            if (atOnce)
            {
                fire();
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
