using System;
using System.Threading;

namespace Postern.Records;

/// <summary>
/// Fans a record out to every sink, on the caller's thread. The list of sinks is an immutable array swapped by one reference write,
/// so a record meets either the old list or the new one. Never blocks and never throws: a sink that throws is counted and passed over.
/// </summary>
public sealed class RecordHub : IDisposable
{
    private readonly Lock change = new();
    private volatile Slot[] slots;

    /// <summary>A hub with these sinks; the hub disposes them.</summary>
    public RecordHub(params ReadOnlySpan<IRecordSink> sinks)
    {
        slots = new Slot[sinks.Length];
        for (var i = 0; i < sinks.Length; i++)
        {
            slots[i] = new Slot(sinks[i]);
        }
    }

    /// <summary>True when no sink is there: a caller may then skip filling a record.</summary>
    public bool IsEmpty => slots.Length == 0;

    /// <summary>Gives the record to every sink. The caller may reuse it as soon as this returns.</summary>
    public void Publish(VisibilityRecord record)
    {
        foreach (var slot in slots)
        {
            try
            {
                slot.Sink.Write(record);
            }
#pragma warning disable CA1031 // Whatever a sink does wrong, the request it tells about goes on.
            catch (Exception)
#pragma warning restore CA1031
            {
                Interlocked.Increment(ref slot.Faults);
            }
        }
    }

    /// <summary>Adds a sink; records published from now on reach it.</summary>
    public void Add(IRecordSink sink)
    {
        lock (change)
        {
            slots = [.. slots, new Slot(sink)];
        }
    }

    /// <summary>Takes a sink out without disposing it. A publish under way may still reach it once.</summary>
    public bool Remove(IRecordSink sink)
    {
        lock (change)
        {
            var index = Array.FindIndex(slots, slot => ReferenceEquals(slot.Sink, sink));
            if (index < 0)
            {
                return false;
            }

            slots = [.. slots.AsSpan(0, index), .. slots.AsSpan(index + 1)];
            return true;
        }
    }

    /// <summary>A reading of every sink's counters, for metrics.</summary>
    public SinkCounters[] ReadCounters() => Array.ConvertAll(
        slots,
        slot => new SinkCounters(slot.Sink.Name, slot.Sink.Written, slot.Sink.Dropped, slot.Sink.Bytes, Interlocked.Read(ref slot.Faults)));

    /// <summary>Takes all sinks out and disposes them; each writes what it holds, within its own time bound.</summary>
    public void Dispose()
    {
        Slot[] last;
        lock (change)
        {
            last = slots;
            slots = [];
        }

        foreach (var slot in last)
        {
            (slot.Sink as IDisposable)?.Dispose();
        }
    }

    private sealed class Slot(IRecordSink sink)
    {
        public readonly IRecordSink Sink = sink;
        public long Faults; // interlocked
    }
}
