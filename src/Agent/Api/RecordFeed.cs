using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Channels;

namespace Postern.Agent.Api;

/// <summary>Hands the proxy's records to whoever monitors now. A reader that is too slow loses the oldest; nobody waits for it. Thread-safe.</summary>
public sealed class RecordFeed
{
    private const int Waiting = 1024;
    private readonly Lock gate = new();
    private readonly List<Channel<MonitorEntry>> readers = [];

    /// <summary>To all readers.</summary>
    public void Publish(MonitorEntry entry)
    {
        lock (gate)
        {
            foreach (var reader in readers)
            {
                reader.Writer.TryWrite(entry);
            }
        }
    }

    /// <summary>Whether anybody reads: else an entry need not be made.</summary>
    public bool HasReaders
    {
        get
        {
            lock (gate)
            {
                return readers.Count > 0;
            }
        }
    }

    /// <summary>From now on, until disposed.</summary>
    public RecordReader Subscribe()
    {
        var channel = Channel.CreateBounded<MonitorEntry>(new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (gate)
        {
            readers.Add(channel);
        }
        return new RecordReader(channel.Reader, () =>
        {
            lock (gate)
            {
                readers.Remove(channel);
            }
        });
    }
}

/// <summary>One reader.</summary>
/// <param name="entries">What comes.</param>
/// <param name="leave">Called once or more.</param>
public sealed class RecordReader(ChannelReader<MonitorEntry> entries, Action leave) : IDisposable
{
    /// <summary>Entries.</summary>
    public ChannelReader<MonitorEntry> Entries => entries;

    /// <summary>Ends it.</summary>
    public void Dispose() => leave();
}
