using System;
using Postern.Filters.Network.Bytes;

namespace Postern.Proxy.Tcp;

/// <summary>
/// The filters of one connection, in order from the client to the server, and what waits between them. Sans-I/O: its owner brings what sockets gave and
/// takes away what they shall get. One call at a time.
/// </summary>
internal sealed class ByteFilterChain
{
    private readonly IByteFilter[] filters;
    private readonly PendingBytes[] up; // up[i] waits for filter i; the last one for the server
    private readonly PendingBytes[] down; // down[i + 1] waits for filter i; the first one for the client

    public ByteFilterChain(IByteFilter[] filters)
    {
        this.filters = filters;
        up = Make(filters.Length + 1);
        down = Make(filters.Length + 1);
    }

    /// <summary>What waits for the server.</summary>
    public PendingBytes ToUpstream => up[^1];

    /// <summary>What waits for the client.</summary>
    public PendingBytes ToDownstream => down[0];

    /// <summary>Of the first filter that closed the connection; nothing is called after that.</summary>
    public ByteVerdict Verdict { get; private set; }

    /// <summary>Bytes of the client that wait for a filter that takes none now.</summary>
    public int Held
    {
        get
        {
            var sum = 0;
            for (var i = 0; i < filters.Length; i++)
            {
                sum += up[i].Count;
            }
            return sum;
        }
    }

    /// <summary>A filter does not want the server connected to yet.</summary>
    public bool HoldsConnect => Array.Exists(filters, static f => f.HoldsConnect);

    /// <summary>The earliest <see cref="IByteFilter.NextTimer"/>.</summary>
    public long NextTimer
    {
        get
        {
            var next = long.MaxValue;
            foreach (var filter in filters)
            {
                next = Math.Min(next, filter.NextTimer);
            }
            return next;
        }
    }

    /// <summary>The client is there.</summary>
    public void Connect(long now) => Each(static (filter, outputs) => filter.OnConnect(outputs), now);

    /// <summary>A timer may be due.</summary>
    public void Tick(long now) => Each(static (filter, outputs) => filter.OnTimer(outputs), now);

    /// <summary>The client sent something.</summary>
    public void FromDownstream(ReadOnlySpan<byte> data, bool end, long now)
    {
        Put(up[0], data, end);
        Run(now);
    }

    /// <summary>The server sent something.</summary>
    public void FromUpstream(ReadOnlySpan<byte> data, bool end, long now)
    {
        Put(down[^1], data, end);
        Run(now);
    }

    private static PendingBytes[] Make(int count)
    {
        var made = new PendingBytes[count];
        for (var i = 0; i < count; i++)
        {
            made[i] = new PendingBytes();
        }
        return made;
    }

    private static void Put(PendingBytes queue, ReadOnlySpan<byte> data, bool end)
    {
        queue.Write(data);
        if (end)
        {
            queue.End();
        }
    }

    private ByteOutputs Outputs(int filter, long now) => new(up[filter + 1], down[filter], now);

    private void Each(Func<IByteFilter, ByteOutputs, ByteVerdict> call, long now)
    {
        for (var i = 0; i < filters.Length && !Verdict.Closes; i++)
        {
            Verdict = call(filters[i], Outputs(i, now));
        }
        Run(now);
    }

    // A filter may write both ways, so its neighbours are asked again until nobody has anything to pass on.
    private void Run(long now)
    {
        var moved = true;
        while (moved)
        {
            moved = false;
            for (var i = 0; i < filters.Length && !Verdict.Closes; i++)
            {
                var filter = filters[i];
                if (up[i].HasNews && !filter.PausesDownstream)
                {
                    Verdict = filter.OnDownstream(up[i].Span, up[i].IsEnded, Outputs(i, now));
                    up[i].Taken();
                    moved = true;
                }
                if (!Verdict.Closes && down[i + 1].HasNews)
                {
                    Verdict = filter.OnUpstream(down[i + 1].Span, down[i + 1].IsEnded, Outputs(i, now));
                    down[i + 1].Taken();
                    moved = true;
                }
            }
        }
    }
}
