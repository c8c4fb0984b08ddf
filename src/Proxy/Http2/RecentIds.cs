using System;

namespace Postern.Proxy.Http2;

/// <summary>The streams that we reset lately: frames that crossed the reset on the wire are passed over (RFC 9113 §5.4.2). Bounded; the oldest go.</summary>
internal struct RecentIds
{
    private const int Most = 256;

    private int[]? ids;
    private int next;

    public void Add(int id)
    {
        ids ??= new int[Most];
        ids[next++ % Most] = id;
        next %= Most;
    }

    public readonly bool Contains(int id) => ids is not null && ids.AsSpan().Contains(id);
}
