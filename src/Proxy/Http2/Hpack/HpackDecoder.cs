using System;
using System.Buffers;

namespace Postern.Proxy.Http2.Hpack;

/// <summary>
/// The decoder of one direction of a connection (RFC 7541): whole header blocks in, fields out. After an error the table is in doubt, and it may not be used
/// again. What it holds is bounded by the table; what a block takes for a moment, by the block.
/// </summary>
internal sealed class HpackDecoder
{
    private const int InitialTableSize = 4096; // of every connection, until the peer says otherwise (RFC 9113 §6.5.2)
    private const int MaxSizeUpdates = 2; // the smallest and the last since the block before (§4.2)

    private readonly int maxTableSize;
    private readonly DynamicTable table;
    private byte[] scratch = []; // decoded text of one field; rented while a block is decoded
    private int scratchUsed;

    /// <param name="maxTableSize">Our SETTINGS_HEADER_TABLE_SIZE, bytes.</param>
    public HpackDecoder(int maxTableSize)
    {
        this.maxTableSize = maxTableSize;
        table = new DynamicTable(Math.Max(InitialTableSize, maxTableSize));
        table.Resize(InitialTableSize);
    }

    /// <summary>Decodes one header block. When the sink has said false it is told no more, but the table learns on.</summary>
    public HpackError Decode(ReadOnlySpan<byte> block, IFieldSink sink)
    {
        scratch = ArrayPool<byte>.Shared.Rent(Huffman.MaxDecodedLength(block.Length) + Math.Max(InitialTableSize, maxTableSize));
        var error = DecodeFields(block, sink);
        ArrayPool<byte>.Shared.Return(scratch);
        scratch = [];
        return error;
    }

    private HpackError DecodeFields(ReadOnlySpan<byte> block, IFieldSink sink)
    {
        var error = DecodeSizeUpdates(block, out var at);
        var wanted = true;
        while (error == HpackError.None && at < block.Length)
        {
            var first = block[at];
            if (first >= 0x80)
            {
                error = DecodeIndexed(block, ref at, sink, ref wanted);
            }
            else if (first is >= 0x20 and < 0x40)
            {
                error = HpackError.MisplacedSizeUpdate;
            }
            else
            {
                error = DecodeLiteral(block, ref at, sink, ref wanted);
            }
        }
        return error;
    }

    private HpackError DecodeSizeUpdates(ReadOnlySpan<byte> block, out int at)
    {
        at = 0;
        for (var updates = 0; at < block.Length && block[at] is >= 0x20 and < 0x40; updates++)
        {
            if (updates == MaxSizeUpdates)
            {
                return HpackError.MisplacedSizeUpdate;
            }
            var error = HpackInteger.Read(block, 5, ref at, out var size);
            if (error != HpackError.None)
            {
                return error;
            }
            if (size > maxTableSize)
            {
                return HpackError.TableSizeTooLarge;
            }
            table.Resize(size);
        }
        return HpackError.None;
    }

    private HpackError DecodeIndexed(ReadOnlySpan<byte> block, ref int at, IFieldSink sink, ref bool wanted)
    {
        var error = HpackInteger.Read(block, 7, ref at, out var index);
        if (error != HpackError.None)
        {
            return error;
        }
        if (index == 0 || index > StaticTable.Count + table.Count)
        {
            return HpackError.InvalidIndex;
        }
        wanted = wanted && (index <= StaticTable.Count
            ? sink.OnField(StaticTable.Name(index), StaticTable.Value(index), false)
            : sink.OnField(table.Name(NumberOf(index)), table.Value(NumberOf(index)), false));
        return HpackError.None;
    }

    private HpackError DecodeLiteral(ReadOnlySpan<byte> block, ref int at, IFieldSink sink, ref bool wanted)
    {
        var indexed = block[at] >= 0x40;
        var neverIndexed = !indexed && block[at] >= 0x10;
        scratchUsed = 0;
        var error = HpackInteger.Read(block, indexed ? 6 : 4, ref at, out var index);
        if (error != HpackError.None)
        {
            return error;
        }
        if (index > StaticTable.Count + table.Count)
        {
            return HpackError.InvalidIndex;
        }
        scoped ReadOnlySpan<byte> name;
        if (index == 0)
        {
            error = DecodeText(block, ref at, out name);
            if (error != HpackError.None)
            {
                return error;
            }
        }
        else
        {
            name = index <= StaticTable.Count ? StaticTable.Name(index) : Keep(table.Name(NumberOf(index)));
        }
        error = DecodeText(block, ref at, out var value);
        if (error != HpackError.None)
        {
            return error;
        }
        wanted = wanted && sink.OnField(name, value, neverIndexed);
        if (indexed)
        {
            table.Add(name, value);
        }
        return HpackError.None;
    }

    private HpackError DecodeText(ReadOnlySpan<byte> block, ref int at, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (at == block.Length)
        {
            return HpackError.Truncated;
        }
        var huffman = block[at] >= 0x80;
        var error = HpackInteger.Read(block, 7, ref at, out var length);
        if (error != HpackError.None)
        {
            return error;
        }
        if (length > block.Length - at)
        {
            return HpackError.Truncated;
        }
        text = block.Slice(at, length);
        at += length;
        if (!huffman)
        {
            return HpackError.None;
        }
        if (!Huffman.TryDecode(text, scratch.AsSpan(scratchUsed), out var decoded))
        {
            return HpackError.InvalidHuffman;
        }
        text = scratch.AsSpan(scratchUsed, decoded);
        scratchUsed += decoded;
        return HpackError.None;
    }

    // A field may drive out the very entry whose name it took (§4.4).
    private ReadOnlySpan<byte> Keep(ReadOnlySpan<byte> name)
    {
        name.CopyTo(scratch.AsSpan(scratchUsed));
        var kept = scratch.AsSpan(scratchUsed, name.Length);
        scratchUsed += name.Length;
        return kept;
    }

    private long NumberOf(int index) => table.Inserted - (index - StaticTable.Count);
}
