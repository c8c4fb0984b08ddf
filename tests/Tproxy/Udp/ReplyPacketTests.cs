using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Postern.Tproxy.Udp;

namespace Postern.Tests.Tproxy.Udp;

public sealed class ReplyPacketTests
{
    [SharedCasesFact]
    public void Checksum_IsThatOfTheSharedVectors()
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(SharedCasesFactAttribute.DnsCases!));
        var seen = 0;
        foreach (var @case in json.RootElement.GetProperty("udp6_checksum").EnumerateArray())
        {
            var bytes = Convert.FromHexString(@case.GetProperty("udp_bytes").GetString()!);
            // The empty one is no UDP datagram, and its ffff not what RFC 8200 gives (ffee: the protocol counts); the next test shows how 0 is sent.
            if (bytes.Length > 0)
            {
                var sum = UdpChecksum.Of(Address($"[{@case.GetProperty("src")}]:1"), Address($"[{@case.GetProperty("dst")}]:1"), bytes, []);
                Assert.Equal(@case.GetProperty("checksum").GetString(), sum.ToString("x4"));
                seen++;
            }
        }

        Assert.True(seen >= 2);
    }

    [Fact]
    public void SumOfZero_IsSentAsAllOnes()
    {
        // Pseudo header ::, ::, length 4, protocol 17: 0x15. 0xffea makes 0xffff of it, whose complement is 0.
        Assert.Equal(0xFFFF, UdpChecksum.Of(Address("[::]:1"), Address("[::]:1"), [0xFF, 0xEA, 0, 0], []));
        Assert.Equal(0x0001, UdpChecksum.Of(Address("[::]:1"), Address("[::]:1"), [0xFF, 0xE9, 0, 0], []));
    }

    /// <summary>Against the plain sum of RFC 1071, 16 bits at a time, at all lengths about the word size and with long carries.</summary>
    [Theory]
    [InlineData("10.0.0.1:53", "10.255.255.255:65535")]
    [InlineData("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:53", "[fd00::1]:65535")]
    public void Checksum_IsThePlainSum(string from, string to)
    {
        var random = new Random(768);
        for (var length = 0; length < 70; length++)
        {
            var payload = new byte[length == 69 ? 65_000 : length];
            random.NextBytes(payload);
            if (length % 2 == 0)
            {
                payload.AsSpan().Fill(0xFF);
            }

            var header = new byte[8];
            ReplyPacket.WriteHeader(header, Address(from), Address(to), payload);

            // With the checksum in place everything sums to 0xffff.
            byte[] all = [.. Bytes(from), .. Bytes(to), 0, 17, .. header.AsSpan(4, 2), .. header, .. payload, .. new byte[payload.Length % 2]];
            var sum = 0L;
            for (var i = 0; i < all.Length; i += 2)
            {
                sum += (all[i] << 8) | all[i + 1];
                sum = (sum & 0xFFFF) + (sum >> 16);
            }

            Assert.Equal(0xFFFF, sum);
        }
    }

    [Fact]
    public void Header_HasPortsAndLength()
    {
        var header = new byte[8];
        ReplyPacket.WriteHeader(header, Address("10.71.2.2:53"), Address("10.71.1.2:40000"), "pong"u8);

        // 0a47+0202+0a47+0102 + 0011+000c + 0035+9c40+000c + 706f+6e67 = 19306, folded 9307, its complement 6cf8.
        Assert.Equal("00359C40000C6CF8", Convert.ToHexString(header));
    }

    [Fact]
    public void Control_IsPacketInfoWithTheSource()
    {
        var control = new byte[ReplyPacket.ControlBytes];

        Assert.Equal(32, ReplyPacket.WriteControl(control, Address("10.71.2.2:53")));
        Assert.Equal("1C00000000000000" + "00000000" + "08000000" + "00000000" + "0A470202" + "00000000" + "00000000", Convert.ToHexString(control.AsSpan(0, 32)));
        Assert.Equal(40, ReplyPacket.WriteControl(control, Address("[fe80::2%7]:53")));
        Assert.Equal("2400000000000000" + "29000000" + "32000000" + "FE800000000000000000000000000002" + "07000000" + "00000000", Convert.ToHexString(control.AsSpan(0, 40)));
    }

    [Theory]
    [InlineData("10.0.0.1:53", "10.0.0.2:1", 65_507, ReplyFault.None)]
    [InlineData("10.0.0.1:53", "10.0.0.2:1", 65_508, ReplyFault.TooLarge)]
    [InlineData("10.0.0.1:53", "10.0.0.2:0", 1, ReplyFault.Invalid)]
    [InlineData("10.0.0.1:0", "10.0.0.2:1", 1, ReplyFault.Invalid)]
    [InlineData("[fd00::1]:53", "10.0.0.2:1", 1, ReplyFault.Invalid)]
    public void ReplyThatNoKernelWouldTake_IsRefusedBefore(string from, string to, int length, ReplyFault expected) =>
        Assert.Equal(expected, ReplyPacket.Check(Address(from), Address(to), length, AddressFamily.InterNetwork));

    [Fact]
    public void LargestPayloadOfIpv6_IsTheLengthFieldLessTheHeader() => Assert.Equal(65_527, ReplyPacket.LargestPayload(AddressFamily.InterNetworkV6));

    [Fact]
    public void Batch_TakesWhatFitsAndIsUsedAgain()
    {
        var batch = new ReplyBatch(AddressFamily.InterNetworkV6, 1, 4);

        Assert.Equal(ReplyFault.TooLarge, batch.Add(Address("[fd00::1]:53"), Address("[fd00::2]:1"), new byte[5]));
        Assert.Equal(ReplyFault.None, batch.Add(Address("[fd00::1]:53"), Address("[fd00::2]:1"), new byte[4]));
        Assert.Equal(ReplyFault.BatchFull, batch.Add(Address("[fd00::1]:53"), Address("[fd00::2]:1"), new byte[4]));
        batch.Clear();
        Assert.Equal(ReplyFault.None, batch.Add(Address("[fd00::1]:53"), Address("[fd00::2]:1"), []));
        Assert.Equal(1, batch.Count);
    }

    private static DatagramAddress Address(string text) => DatagramAddress.From(IPEndPoint.Parse(text));

    private static byte[] Bytes(string text) => IPEndPoint.Parse(text).Address.GetAddressBytes();
}
