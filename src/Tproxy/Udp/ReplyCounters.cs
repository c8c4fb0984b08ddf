using System;
using System.Threading;

namespace Postern.Tproxy.Udp;

/// <summary>What a sender has done, by outcome. For any thread.</summary>
public sealed class ReplyCounters
{
    private readonly long[] _counts = new long[(int)ReplyFault.Other + 1];

    /// <summary>Replies that went out.</summary>
    public long Sent => Of(ReplyFault.None);

    /// <summary>Replies with this outcome.</summary>
    public long Of(ReplyFault fault) => Volatile.Read(ref _counts[(int)fault]);

    /// <summary>Replies that did not go out, for whatever reason.</summary>
    public long Failed
    {
        get
        {
            var sum = 0L;
            foreach (ref var count in _counts.AsSpan(1))
            {
                sum += Volatile.Read(ref count);
            }

            return sum;
        }
    }

    internal void Add(ReplyFault fault, int count = 1) => Interlocked.Add(ref _counts[(int)fault], count);
}
