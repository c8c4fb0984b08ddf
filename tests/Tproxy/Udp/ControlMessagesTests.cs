using System;
using System.Net;
using Postern.Tproxy.Udp;

namespace Postern.Tests.Tproxy.Udp;

/// <summary>Control messages as a 64-bit kernel writes them (little-endian).</summary>
public sealed class ControlMessagesTests
{
    // struct cmsghdr: length 32, level 0 (IP), type 20; sockaddr_in 10.71.2.2:53.
    private const string V4 = "2000000000000000" + "00000000" + "14000000" + "02000035" + "0A470202" + "0000000000000000";

    // Length 44, level 41 (IPv6), type 74; sockaddr_in6 fe80::2%7 port 53; 4 bytes of padding.
    private const string V6 = "2C00000000000000" + "29000000" + "4A000000" + "0A000035" + "00000000" + "FE800000000000000000000000000002" + "07000000" + "00000000";

    // Length 20, level 1 (socket), type 40: 258 datagrams lost.
    private const string Drops = "1400000000000000" + "01000000" + "28000000" + "02010000" + "00000000";

    [Theory]
    [InlineData(V4, "10.71.2.2:53")]
    [InlineData(V6, "[fe80::2%7]:53")]
    [InlineData(Drops + V4, "10.71.2.2:53")]
    [InlineData(V6 + Drops, "[fe80::2%7]:53")]
    public void Destination_IsRead(string hex, string expected)
    {
        Assert.True(ControlMessages.TryRead(Convert.FromHexString(hex), out var destination, out var drops));

        Assert.Equal(IPEndPoint.Parse(expected), destination.ToEndPoint());
        Assert.Equal(DatagramAddress.From(IPEndPoint.Parse(expected)), destination);
        Assert.Equal(hex.Contains(Drops, StringComparison.Ordinal) ? 258u : null, drops);
    }

    [Theory]
    [InlineData("", "nothing")]
    [InlineData(Drops, "another message alone")]
    [InlineData(V4 + V4, "two destinations")]
    [InlineData(V4 + "0F00000000000000" + "0000000000000000", "a length below its own header")]
    [InlineData("FFFFFFFFFFFFFFFF" + "00000000" + "14000000", "a length of -1")]
    [InlineData("2100000000000000" + "00000000" + "14000000" + "02000035" + "0A470202" + "0000000000000000", "a length past the end")]
    [InlineData("1800000000000000" + "00000000" + "14000000" + "02000035" + "0A470202", "an address cut short")]
    [InlineData("2000000000000000" + "00000000" + "14000000" + "0A000035" + "0A470202" + "0000000000000000", "a family that is not the level's")]
    [InlineData("2000000000000000" + "29000000" + "14000000" + "02000035" + "0A470202" + "0000000000000000", "the type of IPv4 at the level of IPv6")]
    public void AnythingElse_IsRefused(string hex, string why)
    {
        Assert.False(ControlMessages.TryRead(Convert.FromHexString(hex), out var destination, out _), why);
        Assert.Equal(default, destination);
    }

    [Fact]
    public void BytesOfAnyKind_NeverThrowAndNeverMakeUpADestination()
    {
        var random = new Random(20);
        Span<byte> address = stackalloc byte[16];
        byte[][] seeds = [Convert.FromHexString(V4), Convert.FromHexString(V6), Convert.FromHexString(Drops + V4)];
        for (var i = 0; i < 200_000; i++)
        {
            var bytes = seeds[i % 3].AsSpan().ToArray();
            for (var change = random.Next(4); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var some = bytes.AsSpan(0, random.Next(bytes.Length + 1));
            if (ControlMessages.TryRead(some, out var destination, out _))
            {
                // What was read stands in the bytes.
                var length = destination.CopyTo(address);
                Assert.True(some.IndexOf(address[..length]) >= 0);
            }
            else
            {
                Assert.Equal(default, destination);
            }
        }
    }

    [Fact]
    public void EveryCutOfAMessage_IsRefused()
    {
        foreach (var (hex, whole) in new[] { (V4, 32), (V6, 44) })
        {
            var bytes = Convert.FromHexString(hex);
            for (var length = 0; length <= bytes.Length; length++)
            {
                Assert.Equal(length >= whole, ControlMessages.TryRead(bytes.AsSpan(0, length), out _, out _));
            }
        }
    }

    [Fact]
    public void SocketAddress_IsWrittenWithoutPort()
    {
        Span<byte> bytes = stackalloc byte[28];
        Assert.Equal(16, DatagramAddress.From(IPEndPoint.Parse("10.71.1.2:40000")).WriteSockAddr(bytes));
        Assert.Equal("020000000A4701020000000000000000", Convert.ToHexString(bytes[..16]));
        Assert.Equal(28, DatagramAddress.From(IPEndPoint.Parse("[fe80::2%7]:40000")).WriteSockAddr(bytes));
        Assert.Equal("0A00000000000000FE80000000000000000000000000000207000000", Convert.ToHexString(bytes));
    }
}
