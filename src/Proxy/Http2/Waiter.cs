namespace Postern.Proxy.Http2;

/// <summary>Somebody who waits for a stream. Woken outside of every lock, in a <see cref="WakeList"/>; made once for a stream and used again and again.</summary>
internal abstract class Waiter
{
    /// <summary>The next one of the list it is in.</summary>
    public Waiter? Next { get; set; }

    /// <summary>Runs whatever waits. Nobody holds a lock.</summary>
    public abstract void Wake();
}
