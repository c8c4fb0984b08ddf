namespace Postern.Proxy.Listeners;

/// <summary>Lets one log line a second through, so that a flood of refused connections is no flood of lines. Not thread-safe.</summary>
internal struct OncePerSecond
{
    private long next;

    /// <summary>Whether a line may be written now.</summary>
    /// <param name="now">Milliseconds, monotonic.</param>
    public bool TryTake(long now)
    {
        if (now < next)
        {
            return false;
        }
        next = now + 1000;
        return true;
    }
}
