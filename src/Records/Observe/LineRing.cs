using System;
using System.Threading;

namespace Postern.Records.Observe;

/// <summary>
/// The last lines, bounded in number and bytes, for readers that each have their own place in it. Lines are numbered from 0 without gaps; the
/// oldest give way to a new one. A reader that asks for a line that is gone learns how many it missed. Memory does not depend on the readers.
/// </summary>
internal sealed class LineRing
{
    private readonly Lock gate = new();
    private readonly byte[] bytes;        // a line may wrap around the end
    private readonly long[] ends;         // of line n at n % Length, counted in bytes ever written
    private long oldest;                  // number of the oldest line held
    private long next;                    // number the next line gets
    private long tail;                    // bytes ever written before the oldest line
    private long head;                    // bytes ever written

    public LineRing(int maxRecords, int maxBytes)
    {
        bytes = new byte[maxBytes];
        ends = new long[maxRecords];
    }

    /// <summary>Appends a line; false when it is longer than the whole ring.</summary>
    public bool Add(ReadOnlySpan<byte> line)
    {
        if (line.Length > bytes.Length)
        {
            return false;
        }

        lock (gate)
        {
            while (next - oldest == ends.Length || head - tail + line.Length > bytes.Length)
            {
                tail = ends[oldest++ % ends.Length];
            }

            var at = (int)(head % bytes.Length);
            var first = Math.Min(line.Length, bytes.Length - at);
            line[..first].CopyTo(bytes.AsSpan(at));
            line[first..].CopyTo(bytes);
            head += line.Length;
            ends[next++ % ends.Length] = head;
            return true;
        }
    }

    /// <summary>The number of the line <paramref name="count"/> before the end, or the oldest; and the number at which live lines begin.</summary>
    public long Last(int count, out long live)
    {
        lock (gate)
        {
            live = next;
            return Math.Max(oldest, next - count);
        }
    }

    /// <summary>Copies whole lines from number <paramref name="from"/> on, as many as fit, none from <paramref name="before"/> on.</summary>
    /// <param name="from">Number of the next line of this reader; moved on.</param>
    /// <param name="before">Where to stop.</param>
    /// <param name="target">Gets the lines.</param>
    /// <param name="lost">Lines that were gone already.</param>
    /// <returns>Bytes copied.</returns>
    public int Read(ref long from, long before, Span<byte> target, out long lost)
    {
        lock (gate)
        {
            lost = Math.Max(0, oldest - from);
            from += lost;
            var start = from == oldest ? tail : from > oldest && from <= next ? ends[(from - 1) % ends.Length] : head;
            var end = start;
            while (from < next && from < before && ends[from % ends.Length] - start <= target.Length)
            {
                end = ends[from++ % ends.Length];
            }

            var size = (int)(end - start);
            var at = (int)(start % bytes.Length);
            var first = Math.Min(size, bytes.Length - at);
            bytes.AsSpan(at, first).CopyTo(target);
            bytes.AsSpan(0, size - first).CopyTo(target[first..]);
            return size;
        }
    }
}
