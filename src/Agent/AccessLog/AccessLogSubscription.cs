using System;
using System.Threading;
using System.Threading.Channels;

namespace Postern.Agent.AccessLog;

/// <summary>Somebody who follows the entries. Who does not keep up loses the oldest; disposing ends it and completes <see cref="Reader"/>.</summary>
public sealed class AccessLogSubscription : IDisposable
{
    private readonly Channel<AccessLogEntry> channel;
    private readonly Action<AccessLogSubscription> leave;
    private long dropped;

    internal AccessLogSubscription(int capacity, Action<AccessLogSubscription> leave)
    {
        this.leave = leave;
        channel = Channel.CreateBounded<AccessLogEntry>(
            new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.DropOldest },
            _ => Interlocked.Increment(ref dropped));
    }

    /// <summary>Entries in order of arrival.</summary>
    public ChannelReader<AccessLogEntry> Reader => channel.Reader;

    /// <summary>Entries lost so far.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    /// <inheritdoc/>
    public void Dispose()
    {
        leave(this);
        channel.Writer.TryComplete();
    }

    internal void Offer(AccessLogEntry entry) => channel.Writer.TryWrite(entry);
}
