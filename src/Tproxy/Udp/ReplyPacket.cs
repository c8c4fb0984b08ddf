using System;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Udp;

/// <summary>The parts of a reply that a raw UDP socket sends: header by hand, source address by control message, client's address as the name.</summary>
internal static class ReplyPacket
{
    internal const int HeaderBytes = 8;
    internal const int ControlBytes = 48; // struct cmsghdr and in6_pktinfo take 40
    internal const int NameBytes = 32;

    /// <summary>The largest payload: the length field of IPv4 counts its own header, that of IPv6 does not.</summary>
    internal static int LargestPayload(AddressFamily family) =>
        family == AddressFamily.InterNetworkV6 ? ushort.MaxValue - HeaderBytes : ushort.MaxValue - 20 - HeaderBytes;

    /// <summary>What forbids the reply whatever the kernel says.</summary>
    internal static ReplyFault Check(in DatagramAddress source, in DatagramAddress client, int payload, AddressFamily family) =>
        source.Family != family || client.Family != family || source.Port == 0 || client.Port == 0 ? ReplyFault.Invalid
        : payload > LargestPayload(family) ? ReplyFault.TooLarge
        : ReplyFault.None;

    /// <summary>Writes the 8 bytes of RFC 768, checksum included.</summary>
    internal static void WriteHeader(Span<byte> header, in DatagramAddress source, in DatagramAddress client, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteUInt16BigEndian(header, source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], client.Port);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)(HeaderBytes + payload.Length));
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], UdpChecksum.Of(source, client, header[..HeaderBytes], payload));
    }

    /// <summary>Writes an IP_PKTINFO or IPV6_PKTINFO message with the source address, and returns its padded length.</summary>
    internal static int WriteControl(Span<byte> control, in DatagramAddress source)
    {
        control[..ControlBytes].Clear();
        var data = control[ControlMessages.HeaderSize..];
        int length;
        if (source.Family == AddressFamily.InterNetwork)
        {
            length = 12; // struct in_pktinfo: interface, source, header's destination
            source.CopyTo(data[4..]);
        }
        else
        {
            length = 20; // struct in6_pktinfo: address, interface
            source.CopyTo(data);
            MemoryMarshal.Write(data[16..], source.Scope);
        }

        MemoryMarshal.Write(control, (nuint)(ControlMessages.HeaderSize + length));
        MemoryMarshal.Write(control[nint.Size..], source.Family == AddressFamily.InterNetwork ? SocketOption.SolIp : SocketOption.SolIpv6);
        MemoryMarshal.Write(control[(nint.Size + 4)..], source.Family == AddressFamily.InterNetwork ? SocketOption.IpPacketInfo : SocketOption.Ipv6PacketInfo);
        return ControlMessages.Align(ControlMessages.HeaderSize + length);
    }

    internal static ReplyFault FaultOf(int errno) => errno switch
    {
        // For a raw socket a full send buffer is ENOBUFS (ip_append_data without a transport header); a device's full queue is not told at all.
        Libc.ErrorAgain or Libc.ErrorNoBuffers => ReplyFault.BufferFull,
        Libc.ErrorNoMemory => ReplyFault.NoMemory,
        Libc.ErrorPermission or Libc.ErrorAccess => ReplyFault.Denied,
        Libc.ErrorNetworkDown or Libc.ErrorNetworkUnreachable or Libc.ErrorHostUnreachable => ReplyFault.Unreachable,
        Libc.ErrorMessageSize => ReplyFault.TooLarge,
        Libc.ErrorInvalid or Libc.ErrorAddressNotAvailable => ReplyFault.Invalid,
        _ => ReplyFault.Other,
    };
}
