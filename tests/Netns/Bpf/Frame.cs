using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Net;

namespace Postern.Tests.Netns.Bpf;

/// <summary>Crafted Ethernet frames. Link-layer addresses are zero, which are those of lo, so that a trial run takes them for its own.</summary>
internal static class Frame
{
    internal const byte Syn = 2;
    internal const byte Ack = 16;
    internal const byte Tcp = 6;
    internal const byte Udp = 17;
    internal const ushort V4 = 0x0800;
    internal const ushort V6 = 0x86dd;

    internal static byte[] Ethernet(ushort type, params ReadOnlySpan<byte> payload) => [.. new byte[12], (byte)(type >> 8), (byte)type, .. payload];

    internal static byte[] OfTcp(string from, ushort fromPort, string to, ushort toPort, byte flags = Syn) =>
        Ip(from, to, Tcp, TcpHeader(fromPort, toPort, flags));

    internal static byte[] OfUdp(string from, ushort fromPort, string to, ushort toPort) => Ip(from, to, Udp, UdpHeader(fromPort, toPort));

    internal static byte[] TcpHeader(ushort from, ushort to, byte flags)
    {
        var header = new byte[20];
        BinaryPrimitives.WriteUInt16BigEndian(header, from);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), to);
        header[12] = 0x50;
        header[13] = flags;
        return header;
    }

    internal static byte[] UdpHeader(ushort from, ushort to)
    {
        var header = new byte[8];
        BinaryPrimitives.WriteUInt16BigEndian(header, from);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), to);
        header[5] = 8;
        return header;
    }

    /// <param name="from">Its family decides.</param>
    /// <param name="to">Of the same family.</param>
    /// <param name="protocol">What stands behind the IP header.</param>
    /// <param name="payload">Its bytes.</param>
    /// <param name="fragment">IPv4: flags and offset as in the header.</param>
    internal static byte[] Ip(string from, string to, byte protocol, byte[] payload, ushort fragment = 0)
    {
        var source = IPAddress.Parse(from).GetAddressBytes();
        var destination = IPAddress.Parse(to).GetAddressBytes();
        if (source.Length == 16)
        {
            return Ethernet(V6, [0x60, 0, 0, 0, (byte)(payload.Length >> 8), (byte)payload.Length, protocol, 64, .. source, .. destination, .. payload]);
        }

        var total = payload.Length + 20;
        return Ethernet(V4, [0x45, 0, (byte)(total >> 8), (byte)total, 0, 0, (byte)(fragment >> 8), (byte)fragment, 64, protocol, 0, 0, .. source, .. destination, .. payload]);
    }

    /// <summary>IPv6 with extension headers of 8 bytes each in front of a TCP SYN.</summary>
    /// <param name="from">IPv6.</param>
    /// <param name="to">IPv6.</param>
    /// <param name="port">Destination.</param>
    /// <param name="extensions">Kind, and the third and fourth byte of the header (a fragment's offset and flags).</param>
    internal static byte[] Extended(string from, string to, ushort port, params (byte Kind, ushort Field)[] extensions)
    {
        var payload = new List<byte>();
        for (var i = 0; i < extensions.Length; i++)
        {
            var next = i + 1 < extensions.Length ? extensions[i + 1].Kind : Tcp;
            payload.AddRange([next, 0, (byte)(extensions[i].Field >> 8), (byte)extensions[i].Field, 0, 0, 0, 0]);
        }

        payload.AddRange(TcpHeader(4000, port, Syn));
        return Ip(from, to, extensions.Length > 0 ? extensions[0].Kind : Tcp, [.. payload]);
    }
}
