using System;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Tests.Proxy.Http2.Hpack;

public sealed class HuffmanTests
{
    [Fact]
    public void EverySymbolAloneAndInPairs_ComesBack()
    {
        for (var first = 0; first < 256; first++)
        {
            ComesBack([(byte)first]);
            for (var second = 0; second < 256; second++)
            {
                ComesBack([(byte)first, (byte)second]);
            }
        }
    }

    [Fact]
    public void RandomText_ComesBack()
    {
        var random = new Random(3);
        for (var i = 0; i < 5000; i++)
        {
            var text = new byte[random.Next(200)];
            random.NextBytes(text);
            ComesBack(text);
        }
    }

    // Codes of appendix B at the places where the length changes.
    [Theory]
    [InlineData("0", "07")] // 00000, three bits of padding
    [InlineData("t", "4f")] // 01001
    [InlineData(" ", "53")] // 010100
    [InlineData(":", "b9")] // 1011100
    [InlineData("&", "f8")] // 11111000
    [InlineData("!", "fe3f")] // 1111111000
    [InlineData("|", "ff9f")] // 11111111100
    [InlineData("~", "ffef")] // 1111111111101
    [InlineData("\\", "fffe1f")] // 1111111111111110000
    [InlineData("\x16", "fffffffb")] // the longest: 30 bits
    public void Symbol_HasTheCodeOfTheRfc(string symbol, string hex)
    {
        var text = System.Text.Encoding.Latin1.GetBytes(symbol);
        var encoded = new byte[Huffman.EncodedLength(text)];
        Huffman.Encode(text, encoded);
        Assert.Equal(hex, Convert.ToHexStringLower(encoded));
    }

    [Theory]
    [InlineData("ff")] // 8 bits of padding
    [InlineData("07ff")] // 3 + 8 bits
    [InlineData("00")] // '0' and three bits that are not ones
    [InlineData("06")]
    [InlineData("ffffffff")] // EOS and two ones
    [InlineData("fffffffc")] // EOS and zeros
    [InlineData("07fffffffff8")] // text, then EOS
    [InlineData("fe")] // a code that breaks off
    [InlineData("fffffe")]
    public void BadEndOrEos_IsRefused(string hex) =>
        Assert.False(Huffman.TryDecode(Block.Hex(hex), new byte[Huffman.MaxDecodedLength(hex.Length / 2)], out _));

    private static void ComesBack(byte[] text)
    {
        var encoded = new byte[Huffman.EncodedLength(text)];
        Huffman.Encode(text, encoded);
        var decoded = new byte[Huffman.MaxDecodedLength(encoded.Length)];
        Assert.True(Huffman.TryDecode(encoded, decoded, out var written), Convert.ToHexString(text));
        Assert.True(text.AsSpan().SequenceEqual(decoded.AsSpan(0, written)), Convert.ToHexString(text));
    }
}
