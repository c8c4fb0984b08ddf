using System.Threading;

namespace Postern.Proxy.Stats;

/// <summary>A cell that only grows. Anybody may add; nothing is allocated.</summary>
internal sealed class Counter
{
    private long value;

    public long Value => Interlocked.Read(ref value);

    public void Increment() => Interlocked.Increment(ref value);

    public void Add(int count) => Interlocked.Add(ref value, count);
}

/// <summary>A cell that goes up and down.</summary>
internal sealed class Gauge
{
    private long value;
    private bool used;

    public long Value => Interlocked.Read(ref value);

    /// <summary>It was ever written.</summary>
    public bool IsUsed => Volatile.Read(ref used);

    public void Increment()
    {
        Volatile.Write(ref used, true);
        Interlocked.Increment(ref value);
    }

    public void Decrement() => Interlocked.Decrement(ref value);

    public void Set(long now)
    {
        Volatile.Write(ref used, true);
        Interlocked.Exchange(ref value, now);
    }
}
