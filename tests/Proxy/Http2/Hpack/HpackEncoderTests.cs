using System;
using System.Linq;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Tests.Proxy.Http2.Hpack;

public sealed class HpackEncoderTests
{
    [Fact]
    public void RepeatedHead_TakesAByteAField()
    {
        var blocks = new EncodedBlocks();
        const string Head = ":method: POST|:scheme: http|:path: /pkg.Service/Call|:authority: doors:50051|content-type: application/grpc|te: trailers|user-agent: grpc/1|x-tenant: blue";
        blocks.Encode(Head);
        Assert.Equal(8, blocks.Encode(Head).Length);
    }

    [Theory]
    [InlineData("authorization: Bearer abcdef")]
    [InlineData("proxy-authorization: Basic abcdef")]
    [InlineData("set-cookie: session=0123456789012345678901234567890123456789")]
    [InlineData("cookie: pin=1234")]
    [InlineData("!x-token: abcdef")]
    public void SecretField_IsNeverIndexed(string field)
    {
        var blocks = new EncodedBlocks();
        for (var i = 0; i < 3; i++)
        {
            var block = blocks.Encode(field);
            Assert.Equal(0x10, block[0] & 0xF0);
            Assert.Equal(["!" + field.TrimStart('!')], Decoded(new HpackDecoder(4096), block)); // whoever has no table can read it
        }
    }

    [Theory]
    [InlineData(":path: /search?q=1")]
    [InlineData("content-length: 1234")]
    [InlineData("x-request-id: 7f6a")]
    public void FieldThatHardlyRepeats_TakesNoRoomInTheTable(string field)
    {
        var blocks = new EncodedBlocks();
        Assert.Equal(blocks.Encode(field), blocks.Encode(field));
        Assert.Equal(0, blocks.Encode(field)[0] & 0xF0);
    }

    [Fact]
    public void NameInAnyCase_IsWrittenInLowerCase() =>
        Assert.Equal(["x-odd-name: Value", "content-type: Text"], Decoded(new HpackDecoder(4096), new EncodedBlocks().Encode("X-Odd-Name: Value|Content-Type: Text")));

    [Fact]
    public void Latin1Value_IsKept() => Assert.Equal(["x: \u00e9\u00ff\u0080"], Decoded(new HpackDecoder(4096), new EncodedBlocks().Encode("x: \u00e9\u00ff\u0080")));

    [Fact]
    public void PeersSmallerTable_IsSaidOnceAndKept()
    {
        var blocks = new EncodedBlocks();
        var decoder = new HpackDecoder(4096);
        Decoded(decoder, blocks.Encode("x-a: 1"));
        blocks.Encoder.SetPeerTableSize(64);
        var block = blocks.Encode("x-a: 1|x-b: 2|x-c: 3");
        Assert.Equal([0x3F, 0x21], block[..2]); // 31 + 33
        Assert.Equal(["x-a: 1", "x-b: 2", "x-c: 3"], Decoded(decoder, block));
        Assert.NotEqual(0x20, blocks.Encode("x-a: 1")[0] & 0xE0);
    }

    [Fact]
    public void TableThatShrankAndGrewBetweenBlocks_IsSaidSmallestFirst()
    {
        var blocks = new EncodedBlocks();
        var decoder = new HpackDecoder(4096);
        Decoded(decoder, blocks.Encode("x-a: 1"));
        blocks.Encoder.SetPeerTableSize(0);
        blocks.Encoder.SetPeerTableSize(65536);
        var block = blocks.Encode("x-a: 1");
        Assert.Equal([0x20, 0x3F, 0xE1, 0x1F], block[..4]); // 0, then 4096: ours
        Assert.Equal(0x40, block[4] & 0xC0); // the entry of before is gone
        Assert.Equal(["x-a: 1"], Decoded(decoder, block));
    }

    [Fact]
    public void PeersLargerTable_ChangesNothing()
    {
        var blocks = new EncodedBlocks();
        blocks.Encoder.SetPeerTableSize(1 << 20);
        Assert.Equal(0x40, blocks.Encode("x-a: 1")[0]);
    }

    [Fact]
    public void PeerWithoutTable_CanReadEveryBlockAlone()
    {
        var blocks = new EncodedBlocks();
        blocks.Encoder.SetPeerTableSize(0);
        Assert.Equal(["x-a: 1", "x-a: 1"], Decoded(new HpackDecoder(0), blocks.Encode("x-a: 1|x-a: 1")));
        Assert.Equal(["x-a: 1"], Decoded(new HpackDecoder(0), blocks.Encode("x-a: 1")));
    }

    [Fact]
    public void LargeFields_AreWrittenWhole()
    {
        var value = string.Concat(Enumerable.Range(0, 20_000).Select(i => (char)(0x21 + (i % 90))));
        Assert.Equal([$"x-large: {value}"], Decoded(new HpackDecoder(4096), new EncodedBlocks().Encode($"x-large: {value}")));
    }

    private static string[] Decoded(HpackDecoder decoder, byte[] block)
    {
        var sink = new FieldList();
        Assert.Equal(HpackError.None, decoder.Decode(block, sink));
        return [.. sink.Lines];
    }
}
