using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Tests.Proxy.Http2.Hpack;

public sealed class HpackDecoderTests
{
    [Theory]
    [InlineData("80", nameof(HpackError.InvalidIndex))] // index 0
    [InlineData("be", nameof(HpackError.InvalidIndex))] // 62 of an empty table
    [InlineData("7e 0161", nameof(HpackError.InvalidIndex))] // a name of the same
    [InlineData("0f2f 0161", nameof(HpackError.InvalidIndex))] // 62 with a 4-bit prefix
    [InlineData("ff", nameof(HpackError.Truncated))]
    [InlineData("ff80", nameof(HpackError.Truncated))]
    [InlineData("ff80 8080 8001", nameof(HpackError.IntegerTooLarge))]
    [InlineData("ffff ffff ff0f", nameof(HpackError.IntegerTooLarge))]
    [InlineData("ffff ffff 7f", nameof(HpackError.InvalidIndex))] // the largest that is read
    [InlineData("40", nameof(HpackError.Truncated))]
    [InlineData("4001", nameof(HpackError.Truncated))]
    [InlineData("400161", nameof(HpackError.Truncated))]
    [InlineData("40016102", nameof(HpackError.Truncated))]
    [InlineData("4001617f ffff ff7f", nameof(HpackError.Truncated))] // a string of 2^28 bytes is not waited for
    [InlineData("00 8107 83fff f ff", nameof(HpackError.InvalidHuffman))]
    [InlineData("00 81ff 00", nameof(HpackError.InvalidHuffman))]
    [InlineData("82 20", nameof(HpackError.MisplacedSizeUpdate))]
    [InlineData("20 21 22", nameof(HpackError.MisplacedSizeUpdate))]
    [InlineData("3fe2 1f", nameof(HpackError.TableSizeTooLarge))] // 4097
    [InlineData("3f", nameof(HpackError.Truncated))]
    public void MalformedBlock_IsRefused(string hex, string error) =>
        Assert.Equal(Enum.Parse<HpackError>(error), new HpackDecoder(4096).Decode(Block.Hex(hex), new FieldList()));

    [Theory]
    [InlineData("")]
    [InlineData("20")]
    [InlineData("20 3fe1 1f")] // down to nothing and back
    public void BlockWithoutFields_IsTaken(string hex) => Assert.Empty(Lines(new HpackDecoder(4096), Block.Hex(hex)));

    [Fact]
    public void SizeOfZero_EmptiesTheTable()
    {
        var decoder = new HpackDecoder(4096);
        Lines(decoder, Block.Hex("4001610162"));
        Assert.Equal(["a: b"], Lines(decoder, Block.Hex("be")));
        Lines(decoder, Block.Hex("20 3fe1 1f"));
        Assert.Equal(HpackError.InvalidIndex, decoder.Decode(Block.Hex("be"), new FieldList()));
    }

    [Fact]
    public void AnnouncedLargerTable_IsUsedOnlyAfterAnUpdate()
    {
        var decoder = new HpackDecoder(8192);
        var large = Literal("n", new string('v', 5000));
        Lines(decoder, large);
        Assert.Equal(HpackError.InvalidIndex, decoder.Decode(Block.Hex("be"), new FieldList()));
        decoder = new HpackDecoder(8192);
        Lines(decoder, [.. Block.Hex("3fe1 3f"), .. large]); // 8192
        Assert.Single(Lines(decoder, Block.Hex("be")));
    }

    [Fact]
    public void FullTable_DropsTheOldest()
    {
        var decoder = new HpackDecoder(4096);
        for (var i = 0; i < 500; i++)
        {
            Lines(decoder, Literal("name" + i, new string((char)('a' + (i % 26)), i % 90)));
        }
        var last = new List<string>();
        var size = 0;
        for (var i = 499; (size += ("name" + i).Length + (i % 90) + 32) <= 4096; i--)
        {
            last.Add($"name{i}: {new string((char)('a' + (i % 26)), i % 90)}");
        }
        Assert.Equal(last, Lines(decoder, [.. Enumerable.Range(62, last.Count).Select(index => (byte)(0x80 | index))]));
        Assert.Equal(HpackError.InvalidIndex, decoder.Decode([(byte)(0x80 | (62 + last.Count))], new FieldList()));
    }

    [Fact]
    public void EntryLargerThanTheTable_EmptiesItAndIsNoError()
    {
        var decoder = new HpackDecoder(4096);
        Lines(decoder, Block.Hex("4001610162"));
        Assert.Single(Lines(decoder, Literal("n", new string('v', 4096))));
        Assert.Equal(HpackError.InvalidIndex, decoder.Decode(Block.Hex("be"), new FieldList()));
    }

    [Fact]
    public void NameOfAnEntryThatMakesRoom_IsKept()
    {
        var decoder = new HpackDecoder(4096);
        var name = new string('n', 2000);
        Lines(decoder, Literal(name, "1"));
        // Name by index 62, and a value that drives that entry out.
        var value = Enumerable.Repeat((byte)'v', 2050).ToArray();
        Assert.Equal([$"{name}: {Encoding.ASCII.GetString(value)}"], Lines(decoder, [0x7E, 0x7F, 0x83, 0x0F, .. value]));
        Assert.Equal([$"{name}: {Encoding.ASCII.GetString(value)}"], Lines(decoder, [0xBE]));
    }

    [Fact]
    public void SinkThatSaidNo_IsToldNoMoreButTheTableLearns()
    {
        var decoder = new HpackDecoder(4096);
        var sink = new FieldList(wanted: 1);
        Assert.Equal(HpackError.None, decoder.Decode(Block.Hex("82 4001610162 4001630164"), sink));
        Assert.Equal([":method: GET"], sink.Lines);
        Assert.Equal(["c: d", "a: b"], Lines(decoder, Block.Hex("bebf")));
        Assert.Equal(HpackError.InvalidIndex, decoder.Decode(Block.Hex("82 80"), new FieldList(wanted: 1)));
    }

    private static byte[] Literal(string name, string value)
    {
        var block = Block.Of($"{name}: {value}");
        block[0] = 0x40;
        return block;
    }

    private static List<string> Lines(HpackDecoder decoder, byte[] block)
    {
        var sink = new FieldList();
        Assert.Equal(HpackError.None, decoder.Decode(block, sink));
        return sink.Lines;
    }
}
