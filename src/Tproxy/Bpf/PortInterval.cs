using System;
using System.Collections.Generic;

namespace Postern.Tproxy.Bpf;

/// <summary>Ports that one rule decides.</summary>
/// <param name="First">First port.</param>
/// <param name="Last">Last port, inclusive.</param>
/// <param name="Order">Place of the rule; the lowest decides.</param>
internal readonly record struct PortInterval(ushort First, ushort Last, uint Order)
{
    /// <summary>Makes intervals disjoint: each port goes to the lowest order that has it. What is left of one rule side by side is one interval.</summary>
    /// <param name="intervals">Sorted by order; sorted anew.</param>
    /// <param name="into">Is cleared; then ascending.</param>
    internal static void Flatten(Span<PortInterval> intervals, List<PortInterval> into)
    {
        into.Clear();
        if (intervals.Length == 1)
        {
            into.Add(intervals[0]);
            return;
        }

        // A sweep over the ports: who is deciding changes only where an interval begins or the deciding one ends.
        intervals.Sort(static (a, b) => a.First != b.First ? a.First.CompareTo(b.First) : a.Order.CompareTo(b.Order));
        var open = new PriorityQueue<PortInterval, uint>();
        var next = 0;
        var port = 0;
        while (next < intervals.Length || open.Count > 0)
        {
            if (open.Count == 0)
            {
                port = Math.Max(port, intervals[next].First);
            }

            while (next < intervals.Length && intervals[next].First <= port)
            {
                open.Enqueue(intervals[next], intervals[next].Order);
                next++;
            }

            while (open.TryPeek(out var ended, out _) && ended.Last < port)
            {
                open.Dequeue();
            }

            if (!open.TryPeek(out var deciding, out _))
            {
                continue;
            }

            // A later begin of a higher order changes nothing; Append joins what it cut.
            var last = next < intervals.Length ? Math.Min(deciding.Last, intervals[next].First - 1) : deciding.Last;
            Append(into, new((ushort)port, (ushort)last, deciding.Order));
            port = last + 1;
        }
    }

    private static void Append(List<PortInterval> into, PortInterval interval)
    {
        if (into.Count > 0 && into[^1].Order == interval.Order && into[^1].Last + 1 == interval.First)
        {
            into[^1] = into[^1] with { Last = interval.Last };
        }
        else
        {
            into.Add(interval);
        }
    }
}
