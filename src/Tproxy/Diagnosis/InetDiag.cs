using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Diagnosis;

/// <summary>
/// Questions and answers of NETLINK_SOCK_DIAG (sock_diag(7), linux/inet_diag.h), as bytes. Strict: an answer that does not hold what its lengths say is
/// an error, not a guess.
/// </summary>
internal static class InetDiag
{
    internal const int RequestSize = HeaderSize + 56; // nlmsghdr, inet_diag_req_v2
    private const int HeaderSize = 16;
    private const int MessageSize = 72; // inet_diag_msg
    private const int AttributeHeader = 4;

    private const ushort SockDiagByFamily = 20;
    private const ushort RequestDump = 0x301; // NLM_F_REQUEST | NLM_F_DUMP
    private const ushort Error = 2;
    private const ushort Done = 3;
    private const byte Inet = 2;
    private const byte Inet6 = 10;
    private const uint Listening = 1 << 10; // TCP_LISTEN
    private const uint Unconnected = 1 << 7; // TCP_CLOSE, which is what an unconnected UDP socket is in

    private const ushort AttributeMask = 0x3fff; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
    private const ushort Mark = 15;
    private const ushort SocketOptions = 22;
    private const byte TransparentBit = 1 << 5; // of struct inet_diag_sockopt: recverr, is_icsk, freebind, hdrincl, mc_loop, transparent

    /// <summary>Asks for all sockets that wait for somebody.</summary>
    internal static byte[] Request(AddressFamily family, SteeringProtocol protocol, uint sequence)
    {
        var bytes = new byte[RequestSize];
        var header = new[] { (uint)RequestSize, SockDiagByFamily | ((uint)RequestDump << 16), sequence, 0u };
        MemoryMarshal.AsBytes(header.AsSpan()).CopyTo(bytes);
        bytes[HeaderSize] = family == AddressFamily.InterNetworkV6 ? Inet6 : Inet;
        bytes[HeaderSize + 1] = (byte)protocol;
        MemoryMarshal.Write(bytes.AsSpan(HeaderSize + 4), protocol == SteeringProtocol.Tcp ? Listening : Unconnected);
        return bytes;
    }

    /// <summary>Reads the messages of one datagram. True when the dump is complete.</summary>
    /// <exception cref="TproxyException">The kernel refused, or the bytes are not what they say.</exception>
    internal static bool Read(ReadOnlySpan<byte> datagram, SteeringProtocol protocol, uint sequence, List<ListenerSocket> into)
    {
        while (!datagram.IsEmpty)
        {
            if (datagram.Length < HeaderSize)
            {
                throw Malformed("a message header is cut off");
            }

            var length = MemoryMarshal.Read<uint>(datagram);
            if (length < HeaderSize || length > datagram.Length)
            {
                throw Malformed($"a message of {length} bytes in a datagram of {datagram.Length}");
            }

            var message = datagram[..(int)length];
            var type = MemoryMarshal.Read<ushort>(message[4..]);
            datagram = datagram[Math.Min(Aligned((int)length), datagram.Length)..];
            if (MemoryMarshal.Read<uint>(message[8..]) != sequence)
            {
                continue; // of a question that was given up
            }

            if (type is Done or Error)
            {
                var code = message.Length >= HeaderSize + sizeof(int) ? MemoryMarshal.Read<int>(message[HeaderSize..]) : 0;
                return code == 0
                    ? true
                    : throw new TproxyException($"the kernel does not list sockets: {new System.ComponentModel.Win32Exception(-code).Message} (errno {-code}); has it CONFIG_INET_DIAG and CONFIG_INET_UDP_DIAG (modprobe tcp_diag udp_diag)?");
            }

            if (type == SockDiagByFamily)
            {
                into.Add(Socket(message[HeaderSize..], protocol));
            }
        }

        return false;
    }

    private static ListenerSocket Socket(ReadOnlySpan<byte> body, SteeringProtocol protocol)
    {
        if (body.Length < MessageSize)
        {
            throw Malformed($"an answer of {body.Length} bytes");
        }

        var address = body[0] switch
        {
            Inet => new IPAddress(body.Slice(8, 4)),
            Inet6 => new IPAddress(body.Slice(8, 16)),
            _ => throw Malformed($"address family {body[0]}"),
        };
        var socket = new ListenerSocket(
            protocol,
            new IPEndPoint(address, BinaryPrimitives.ReadUInt16BigEndian(body[4..])),
            MemoryMarshal.Read<uint>(body[64..]),
            MemoryMarshal.Read<uint>(body[68..]));
        var rest = body[MessageSize..];
        while (rest.Length >= AttributeHeader)
        {
            var length = MemoryMarshal.Read<ushort>(rest);
            if (length < AttributeHeader || length > rest.Length)
            {
                throw Malformed($"an attribute of {length} bytes in {rest.Length}");
            }

            var value = rest[AttributeHeader..length];
            switch (MemoryMarshal.Read<ushort>(rest[2..]) & AttributeMask)
            {
                case Mark:
                    socket = socket with { Mark = value.Length >= sizeof(uint) ? MemoryMarshal.Read<uint>(value) : throw Malformed("a mark that is no number") };
                    break;
                case SocketOptions:
                    socket = socket with { Transparent = value.Length > 0 ? (value[0] & TransparentBit) != 0 : throw Malformed("socket options without a byte") };
                    break;
            }

            rest = rest[Math.Min(Aligned(length), rest.Length)..];
        }

        return rest.IsEmpty ? socket : throw Malformed("an attribute header is cut off");
    }

    private static int Aligned(int length) => (length + 3) & ~3;

    private static TproxyException Malformed(string what) => new($"the kernel's list of sockets cannot be read: {what}");
}
