using System;

namespace Postern.Proxy.Http2.Hpack;

/// <summary>
/// The dynamic table (RFC 7541 §2.3.2): the newest fields of a connection's direction, for an encoder or a decoder. Each field stands in one piece, the live ones
/// one behind the other; when the end is reached they move to the front. Memory is at most twice the limit, and grows with use.
/// </summary>
internal sealed class DynamicTable
{
    /// <summary>What an entry is charged besides its text (§4.1).</summary>
    public const int EntryCharge = 32;

    private const int FirstBytes = 1024;
    private const int FirstEntries = 16;

    private readonly int limit;
    private byte[] text = [];
    private Entry[] ring = []; // length is a power of two; entry n of all time is at n & (length - 1)
    private int textEnd;

    /// <param name="limit">Bytes that <see cref="MaxSize"/> will never exceed; it begins there.</param>
    public DynamicTable(int limit)
    {
        this.limit = limit;
        MaxSize = limit;
    }

    /// <summary>Most bytes, charge included (§4.2).</summary>
    public int MaxSize { get; private set; }

    /// <summary>Bytes of now, charge included (§4.1).</summary>
    public int Size { get; private set; }

    public int Count { get; private set; }

    /// <summary>How many were ever inserted: the number of the next one. Those from here minus <see cref="Count"/> on are live.</summary>
    public long Inserted { get; private set; }

    /// <summary>Takes another maximum, at most the limit; the oldest entries go until the rest fits.</summary>
    public void Resize(int maxSize)
    {
        MaxSize = maxSize;
        Evict(maxSize);
    }

    /// <summary>Inserts a field; the oldest make room. One that is larger than the whole table empties it, and that is no error (§4.4). False then.</summary>
    /// <param name="name">No part of this table.</param>
    public bool Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var size = (long)name.Length + value.Length + EntryCharge;
        if (size > MaxSize)
        {
            Evict(0);
            return false;
        }
        Evict(MaxSize - (int)size);
        var start = Reserve(name.Length + value.Length);
        name.CopyTo(text.AsSpan(start));
        value.CopyTo(text.AsSpan(start + name.Length));
        if (Count == ring.Length)
        {
            GrowRing();
        }
        ring[Inserted & (ring.Length - 1)] = new Entry(start, name.Length, value.Length);
        Inserted++;
        Count++;
        Size += (int)size;
        return true;
    }

    /// <summary>Whether that entry is still here.</summary>
    public bool IsLive(long number) => number < Inserted && number >= Inserted - Count;

    /// <summary>Name of a live entry; valid until the next <see cref="Add"/>.</summary>
    public ReadOnlySpan<byte> Name(long number)
    {
        ref readonly var entry = ref ring[number & (ring.Length - 1)];
        return text.AsSpan(entry.Start, entry.NameLength);
    }

    /// <inheritdoc cref="Name"/>
    public ReadOnlySpan<byte> Value(long number)
    {
        ref readonly var entry = ref ring[number & (ring.Length - 1)];
        return text.AsSpan(entry.Start + entry.NameLength, entry.ValueLength);
    }

    private void Evict(int keep)
    {
        while (Size > keep)
        {
            ref readonly var oldest = ref ring[(Inserted - Count) & (ring.Length - 1)];
            Size -= oldest.NameLength + oldest.ValueLength + EntryCharge;
            Count--;
        }
    }

    // Every second limit's worth of text moves at most one limit's worth: it costs as little as a copy per insertion.
    private int Reserve(int length)
    {
        var first = Count == 0 ? textEnd : ring[(Inserted - Count) & (ring.Length - 1)].Start;
        if (text.Length - textEnd < length)
        {
            var live = textEnd - first;
            var from = text;
            if (live + length > text.Length / 2)
            {
                text = new byte[Math.Min(Math.Max(Math.Max(text.Length * 2, FirstBytes), (live + length) * 2), limit * 2)];
            }
            from.AsSpan(first, live).CopyTo(text);
            for (var n = Inserted - Count; n < Inserted; n++)
            {
                ring[n & (ring.Length - 1)].Start -= first;
            }
            textEnd = live;
        }
        var start = textEnd;
        textEnd += length;
        return start;
    }

    private void GrowRing()
    {
        var larger = new Entry[Math.Max(FirstEntries, ring.Length * 2)];
        for (var n = Inserted - Count; n < Inserted; n++)
        {
            larger[n & (larger.Length - 1)] = ring[n & (ring.Length - 1)];
        }
        ring = larger;
    }

    private struct Entry(int start, int nameLength, int valueLength)
    {
        public int Start = start; // in text; the value stands right behind the name
        public readonly int NameLength = nameLength;
        public readonly int ValueLength = valueLength;
    }
}
