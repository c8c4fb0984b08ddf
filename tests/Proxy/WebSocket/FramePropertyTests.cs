using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Postern.Filters.Network.WebSocket;
using Postern.Proxy.Tcp;

namespace Postern.Tests.Proxy.WebSocket;

/// <summary>The frame codec against a plain reader of whole inputs, and against itself however its input is cut.</summary>
public sealed class FramePropertyTests
{
    [Fact]
    public void MutatedFrames_HoweverCut_ReadAsThePlainReaderSays()
    {
        var random = new Random(5);
        var (errors, closes) = (0, 0);
        Assert.NotEmpty(FrameBytes.Corpus);
        for (var i = 0; i < 30_000; i++)
        {
            var bytes = FrameBytes.Mutate(FrameBytes.Corpus[random.Next(FrameBytes.Corpus.Length)], random);
            var whole = FrameBytes.Read(bytes, () => int.MaxValue);
            Assert.True(whole == FrameBytes.Read(bytes, () => 1) && whole == FrameBytes.Read(bytes, () => random.Next(1, 9)), Convert.ToHexString(bytes));
            var (data, failed, closed) = Plain(bytes);
            errors += failed ? 1 : 0;
            closes += closed ? 1 : 0;
            Assert.True(whole.Contains(":Error ", StringComparison.Ordinal) == failed && whole.Contains(":Close ", StringComparison.Ordinal) == closed, Convert.ToHexString(bytes) + "\n" + whole);
            Assert.Equal(Convert.ToHexString(data), whole[(whole.LastIndexOf('\n') + 1)..].Split(' ')[0]);
        }
        Assert.True(errors > 3000 && closes > 1000, $"{errors} errors, {closes} closes: the mutations do not try both");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AnyPayload_WrittenAndReadInPieces_IsTheSame(bool masks)
    {
        var random = new Random(6);
        foreach (var length in new[] { 0, 1, 7, 8, 9, 125, 126, 127, 65535, 65536, 70001 })
        {
            var payload = new byte[length];
            random.NextBytes(payload);
            var frames = new PendingBytes();
            var writer = new FrameWriter(masks);
            writer.Write(Opcode.Binary, payload, frames);
            writer.Write(Opcode.Ping, "1"u8, frames);
            writer.Write(Opcode.Close, [], frames);

            var read = FrameBytes.Read(frames.Span, () => random.Next(1, 5000));

            Assert.Equal($"{length}:Ping 31\n{length}:Close \n{Convert.ToHexString(payload)} True", read);
        }
    }

    [Fact]
    public void ClientFrames_EachHasAKeyOfItsOwn()
    {
        var writer = new FrameWriter(masks: true);
        var keys = new HashSet<string>();
        for (var i = 0; i < 500; i++)
        {
            var frame = new PendingBytes();
            writer.Write(Opcode.Binary, "x"u8, frame);
            Assert.Equal(0x81, frame.Span[1]);
            keys.Add(Convert.ToHexString(frame.Span.Slice(2, 4)));
        }
        Assert.True(keys.Count > 490, $"{keys.Count} keys");
    }

    [Theory]
    [InlineData("C201 61", "reserved bits")]
    [InlineData("8301 61", "opcode 3 is reserved")]
    [InlineData("8B00", "opcode 11 is reserved")]
    [InlineData("0900", "a control frame is fragmented")]
    [InlineData("897E 0080", "longer than 125")]
    [InlineData("8001 61", "a continuation of nothing")]
    [InlineData("0201 61 8201 61", "a message begins within another")]
    [InlineData("827F FFFFFFFFFFFFFFFF", "longer than 2^63")]
    public void UnacceptableFrame_IsAnErrorThatSaysWhy(string hex, string why)
    {
        var read = FrameBytes.Read(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), () => 1);
        Assert.Contains(":Error ", read, StringComparison.Ordinal);
        Assert.Contains(why, read, StringComparison.Ordinal);
    }

    [Fact]
    public void PingWithinAMessage_BothGetThrough()
    {
        var read = FrameBytes.Read(Convert.FromHexString("0201618901" + "31" + "800162"), () => 1);
        Assert.Equal("1:Ping 31\n6162 True", read);
    }

    // As simple as it can be: all bytes at hand, one frame after the other.
    private static (byte[] Data, bool Failed, bool Closed) Plain(byte[] bytes)
    {
        var data = new List<byte>();
        var message = false;
        for (var at = 0; at + 2 <= bytes.Length;)
        {
            var (first, second) = (bytes[at], bytes[at + 1]);
            at += 2;
            var extra = (second & 127) switch { 126 => 2, 127 => 8, _ => 0 };
            if (at + extra + (second >= 128 ? 4 : 0) > bytes.Length)
            {
                break;
            }
            var length = extra == 0 ? (ulong)(second & 127) : bytes[at..(at + extra)].Aggregate(0ul, (sum, b) => (sum << 8) | b);
            at += extra;
            var key = second >= 128 ? bytes[at..(at + 4)] : [0, 0, 0, 0];
            at += second >= 128 ? 4 : 0;
            var opcode = first & 15;
            var fin = first >= 128;
            if ((first & 0x70) != 0 || opcode is (> 2 and < 8) or > 10 || length > long.MaxValue || (opcode >= 8 && (!fin || length > 125)) || (opcode < 8 && message != (opcode == 0)))
            {
                return ([.. data], true, false);
            }
            message = opcode < 8 ? !fin : message;
            var there = (int)Math.Min(length, (ulong)(bytes.Length - at));
            if (opcode < 8)
            {
                data.AddRange(bytes.Skip(at).Take(there).Select((b, i) => (byte)(b ^ key[i & 3])));
            }
            at += there;
            if ((ulong)there < length)
            {
                break;
            }
            if (opcode == 8)
            {
                return ([.. data], false, true);
            }
        }
        return ([.. data], false, false);
    }
}
