using System.Threading;

namespace Postern.Tproxy.Udp;

/// <summary>What a receiver has seen. Written by its thread alone, read by anybody.</summary>
public sealed class UdpCounters
{
    private long _batches;
    private long _received;
    private long _truncated;
    private long _withoutDestination;
    private long _queueDrops;
    private long _receiveErrors;
    private long _handlerFailures;

    /// <summary>Calls that brought at least one datagram.</summary>
    public long Batches => Volatile.Read(ref _batches);

    /// <summary>Datagrams handed to the handler.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Of those, the ones that were longer than the batch's room.</summary>
    public long Truncated => Volatile.Read(ref _truncated);

    /// <summary>Datagrams dropped because the kernel gave no original destination with them.</summary>
    public long WithoutDestination => Volatile.Read(ref _withoutDestination);

    /// <summary>Datagrams the kernel dropped because the socket's queue was full, as far as it has told: it tells with the next datagram.</summary>
    public long QueueDrops => Volatile.Read(ref _queueDrops);

    /// <summary>Receive calls that failed for a passing reason (no memory).</summary>
    public long ReceiveErrors => Volatile.Read(ref _receiveErrors);

    /// <summary>Exceptions of the handler; each costs the rest of its batch.</summary>
    public long HandlerFailures => Volatile.Read(ref _handlerFailures);

    internal void Took(DatagramBatch batch, uint newDrops)
    {
        _batches++;
        _received += batch.Count;
        _withoutDestination += batch.Rejected;
        _queueDrops += newDrops;
        for (var i = 0; i < batch.Count; i++)
        {
            _truncated += batch.Truncated(i) ? 1 : 0;
        }
    }

    internal void ReceiveFailed() => _receiveErrors++;

    internal long HandlerFailed() => ++_handlerFailures;
}
