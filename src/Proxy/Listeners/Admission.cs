using System.Threading;

namespace Postern.Proxy.Listeners;

/// <summary>How many connections the process takes in all; beyond that new ones are reset at once, which is cheaper for everybody than to let them wait.</summary>
internal sealed class Admission(int maxConnections)
{
    private int open;
    private long refused;

    public int MaxConnections { get; } = maxConnections;

    /// <summary>Open connections, also those still being looked at.</summary>
    public int Open => Volatile.Read(ref open);

    /// <summary>Connections refused so far.</summary>
    public long Refused => Interlocked.Read(ref refused);

    /// <summary>Whether one more may come in; each true needs one <see cref="Leave"/>.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref open) <= MaxConnections)
        {
            return true;
        }
        Interlocked.Decrement(ref open);
        Interlocked.Increment(ref refused);
        return false;
    }

    /// <summary>One is gone.</summary>
    public void Leave() => Interlocked.Decrement(ref open);
}
