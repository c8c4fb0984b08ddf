using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Postern.Tproxy.Netlink;

namespace Postern.Tests.Tproxy.Netlink;

public sealed class LinkMessageTests
{
    private static string[] Corpus => File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Corpus", "link-messages.txt")).Where(line => line.Length > 0 && line[0] != '#').ToArray();

    [Fact]
    public void Seed_IsReadAsItSays()
    {
        foreach (var line in Corpus)
        {
            var parts = line.Split(" = ");
            Assert.Equal(parts[1], Read(Convert.FromHexString(parts[0])));
        }
    }

    [Fact]
    public void AnyBytes_AreReadOrRefusedWithoutAnException()
    {
        // Seeded, so that a failure comes again.
        var random = new Random(17);
        var seeds = Corpus.Select(line => Convert.FromHexString(line.Split(" = ")[0])).ToArray();
        int read = 0, refused = 0;
        for (var i = 0; i < 50_000; i++)
        {
            var bytes = (byte[])seeds[random.Next(seeds.Length)].Clone();
            for (var change = random.Next(4); change > 0 && bytes.Length > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var text = Read(bytes.AsSpan(0, random.Next(4) == 0 ? random.Next(bytes.Length + 1) : bytes.Length));
            if (text.Contains(':', StringComparison.Ordinal))
            {
                read++;
            }
            else
            {
                refused++;
            }
        }

        Assert.InRange(read, 5_000, 45_000);
        Assert.InRange(refused, 5_000, 45_000);
    }

    [Fact]
    public void AnyDevice_IsReadBackEqual()
    {
        var random = new Random(18);
        for (var i = 0; i < 2_000; i++)
        {
            var name = new string(Enumerable.Range(0, random.Next(1, 16)).Select(_ => (char)random.Next('a', 'z' + 1)).ToArray());
            var master = random.Next(2) == 0 ? (int?)null : random.Next(1, 1000);
            var device = new NetworkDevice(random.Next(1, int.MaxValue), name, random.Next(2) == 0 ? string.Empty : "veth", master, master is null ? null : "bridge", random.Next(2) == 0, random.Next(2) == 0);

            Assert.True(LinkMessage.TryParse(LinkMessage.NewLink, Write(device), out var message, out _));
            Assert.Equal(new LinkMessage(false, device), message);
        }
    }

    [Theory]
    [InlineData("bridge", false)]
    [InlineData("bond", false)]
    [InlineData("team", false)]
    [InlineData("vrf", true)]
    [InlineData(null, true)]
    public void Slave_BearsProgramsUnlessItsMasterSeesItsPackets(string? master, bool bears) =>
        Assert.Equal(bears, new NetworkDevice(3, "eth0", string.Empty, master is null ? null : 4, master, IsUp: true, IsLoopback: false).BearsPrograms);

    /// <summary>Each message of a datagram in a word.</summary>
    private static string Read(ReadOnlySpan<byte> datagram)
    {
        var text = new StringBuilder();
        var reader = NetlinkReader.Messages(datagram);
        while (reader.Next())
        {
            text.Append(text.Length == 0 ? string.Empty : " ");
            if (LinkMessage.TryParse(reader.Type, reader.Payload, out var message, out var isOther))
            {
                var device = message.Device;
                text.Append(CultureInfo.InvariantCulture, $"{(message.IsGone ? '-' : '+')}{device.Index}:{device.Name}({device.Kind}){(device.Master is { } master ? $"@{master}({device.MasterKind})" : "")}{(device.IsUp ? "up" : "")}");
            }
            else
            {
                text.Append(isOther ? "other" : "bad");
            }
        }

        return text.Append(reader.IsMalformed ? (text.Length == 0 ? "malformed" : " malformed") : string.Empty).ToString();
    }

    private static byte[] Write(NetworkDevice device)
    {
        var bytes = new MemoryStream();
        bytes.Write(new byte[4]);
        bytes.Write(BitConverter.GetBytes(device.Index));
        bytes.Write(BitConverter.GetBytes((device.IsUp ? 1 : 0) | (device.IsLoopback ? 8 : 0)));
        bytes.Write(new byte[4]);
        Attribute(bytes, 3, Encoding.ASCII.GetBytes(device.Name + "\0"));
        if (device.Master is { } master)
        {
            Attribute(bytes, 10, BitConverter.GetBytes(master));
        }

        var info = new MemoryStream();
        if (device.Kind.Length > 0)
        {
            Attribute(info, 1, Encoding.ASCII.GetBytes(device.Kind + "\0"));
        }

        if (device.MasterKind is { } kind)
        {
            Attribute(info, 4, Encoding.ASCII.GetBytes(kind + "\0"));
        }

        Attribute(bytes, 18 | 0x8000, info.ToArray());
        return bytes.ToArray();
    }

    private static void Attribute(MemoryStream into, int type, byte[] payload)
    {
        Span<byte> header = stackalloc byte[4];
        MemoryMarshal.Write(header, (ushort)(payload.Length + 4));
        MemoryMarshal.Write(header[2..], (ushort)type);
        into.Write(header);
        into.Write(payload);
        into.Write(new byte[(4 - (payload.Length % 4)) % 4]);
    }
}
