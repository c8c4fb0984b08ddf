namespace Postern.Proxy.Http2;

/// <summary>Those to wake once the lock is given up.</summary>
internal struct WakeList
{
    private Waiter? first;
    private Waiter? last;

    public readonly bool IsEmpty => first is null;

    public void Add(Waiter waiter)
    {
        if (last is null)
        {
            first = waiter;
        }
        else
        {
            last.Next = waiter;
        }
        last = waiter;
    }

    public void WakeAll()
    {
        for (var waiter = first; waiter is not null;)
        {
            var next = waiter.Next;
            waiter.Next = null; // before it runs: it may wait again
            waiter.Wake();
            waiter = next;
        }
        first = last = null;
    }
}
