using System;
using System.Text;

namespace Postern.Proxy.Http2.Hpack;

/// <summary>
/// The encoder of one direction of a connection (RFC 7541). What it has encoded must be sent, and in that order: the peer's table follows ours. Buffers are
/// rented and replaced by larger ones as needed.
/// </summary>
internal sealed class HpackEncoder
{
    /// <summary>Most bytes of the table, whatever the peer would hold for us.</summary>
    private const int MaxTableSize = 4096;

    private const int LargestShare = 2; // an entry of more than this part of the table would drive out what repeats
    private const int SlotMask = 255;

    private readonly DynamicTable table = new(MaxTableSize);
    private readonly long[] fieldSlots = new long[SlotMask + 1]; // hash of name and value → number of an entry plus 1
    private readonly long[] nameSlots = new long[SlotMask + 1]; // hash of a name → the same
    private int smallest = MaxTableSize; // table size since the last block
    private int wanted = MaxTableSize;

    /// <summary>The peer's SETTINGS_HEADER_TABLE_SIZE; the next block says so where it concerns us.</summary>
    public void SetPeerTableSize(int size)
    {
        wanted = Math.Clamp(size, 0, MaxTableSize);
        smallest = Math.Min(smallest, wanted);
    }

    /// <summary>Begins a header block: table size updates, where the peer's setting changed (§4.2). Returns where the next byte goes.</summary>
    public int Begin(ref byte[] buffer, int at)
    {
        if (smallest == table.MaxSize && wanted == table.MaxSize)
        {
            return at;
        }
        RentedBuffer.Reserve(ref buffer, at, 2 * HpackInteger.MaxLength);
        if (smallest < wanted)
        {
            at += HpackInteger.Write(buffer.AsSpan(at), 0x20, 5, smallest);
            table.Resize(smallest);
        }
        at += HpackInteger.Write(buffer.AsSpan(at), 0x20, 5, wanted);
        table.Resize(wanted);
        smallest = wanted;
        return at;
    }

    /// <summary>Appends one field; returns where the next byte goes. The name is written in lower case; both are Latin-1.</summary>
    /// <param name="neverIndexed">It came so (§6.2.3), and goes on so.</param>
    public int Encode(ReadOnlySpan<char> name, ReadOnlySpan<char> value, ref byte[] buffer, int at, bool neverIndexed = false)
    {
        var room = name.Length + value.Length + (3 * HpackInteger.MaxLength);
        RentedBuffer.Reserve(ref buffer, at, room + name.Length + value.Length);
        var nameBytes = buffer.AsSpan(at + room, name.Length); // behind all that can be written
        Encoding.Latin1.GetBytes(name, nameBytes);
        Ascii.ToLowerInPlace(nameBytes, out _);
        var valueBytes = buffer.AsSpan(at + room + name.Length, value.Length);
        Encoding.Latin1.GetBytes(value, valueBytes);
        return at + Write(buffer.AsSpan(at, room), nameBytes, valueBytes, neverIndexed);
    }

    private int Write(Span<byte> to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool neverIndexed)
    {
        var nameHash = FieldHash.Of(name, 0);
        var known = StaticTable.Find(name, nameHash);
        var use = neverIndexed ? FieldUse.NeverIndexed : FieldUses.Of(known, name, value);
        var hash = FieldHash.Of(value, nameHash);
        if (use != FieldUse.NeverIndexed)
        {
            var index = FindField(known, hash, name, value);
            if (index > 0)
            {
                return HpackInteger.Write(to, 0x80, 7, index);
            }
        }
        var nameIndex = known > 0 ? known : FindName(nameHash, name);
        var indexed = use == FieldUse.Indexed && name.Length + value.Length + DynamicTable.EntryCharge <= table.MaxSize / LargestShare;
        var at = indexed ? HpackInteger.Write(to, 0x40, 6, nameIndex) : HpackInteger.Write(to, use == FieldUse.NeverIndexed ? 0x10 : 0, 4, nameIndex);
        if (nameIndex == 0)
        {
            at += WriteText(to[at..], name);
        }
        at += WriteText(to[at..], value);
        if (indexed && table.Add(name, value))
        {
            fieldSlots[FieldSlot(hash)] = nameSlots[nameHash & SlotMask] = table.Inserted;
        }
        return at;
    }

    private int FindField(int known, ulong hash, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (known > 0 && StaticTable.FindValue(known, value) is var index and > 0)
        {
            return index;
        }
        for (var way = 0UL; way < 2; way++)
        {
            var number = fieldSlots[(hash ^ way) & SlotMask] - 1;
            if (table.IsLive(number) && value.SequenceEqual(table.Value(number)) && name.SequenceEqual(table.Name(number)))
            {
                return IndexOf(number);
            }
        }
        return 0;
    }

    private int FindName(ulong nameHash, ReadOnlySpan<byte> name)
    {
        var number = nameSlots[nameHash & SlotMask] - 1;
        return table.IsLive(number) && name.SequenceEqual(table.Name(number)) ? IndexOf(number) : 0;
    }

    // Of the two slots that a hash has, the one whose entry is older: two fields that repeat and collide do not drive each other out.
    private ulong FieldSlot(ulong hash) => fieldSlots[hash & SlotMask] <= fieldSlots[(hash ^ 1) & SlotMask] ? hash & SlotMask : (hash ^ 1) & SlotMask;

    private int IndexOf(long number) => StaticTable.Count + (int)(table.Inserted - number);

    private static int WriteText(Span<byte> to, ReadOnlySpan<byte> text)
    {
        var coded = Huffman.EncodedLength(text);
        if (coded < text.Length)
        {
            var prefix = HpackInteger.Write(to, 0x80, 7, coded);
            Huffman.Encode(text, to.Slice(prefix, coded));
            return prefix + coded;
        }
        var at = HpackInteger.Write(to, 0, 7, text.Length);
        text.CopyTo(to[at..]);
        return at + text.Length;
    }
}
