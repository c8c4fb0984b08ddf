using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Steering;

/// <summary>
/// Sees each TCP and UDP packet that comes into a namespace next to the node. Who wrote it is in its hop limit: Linux starts with 64, so what the
/// node's proxy sends arrives with 64, and what the node only forwarded arrives with 63.
/// </summary>
internal sealed class PacketWatch : IDisposable
{
    private readonly byte[] _packet = new byte[65536];
    private readonly Socket[] _sockets;
    private readonly List<string> _fromNode = [];
    private readonly List<string> _past = [];

    internal PacketWatch(NetworkNamespace where) => _sockets = where.Inside(() => Array.ConvertAll<int, Socket>(
        // ETH_P_IP and ETH_P_IPV6 in network order: unlike ETH_P_ALL these see no outgoing packets. An unbound packet socket sees all devices.
        [0x0008, 0xDD86],
        protocol =>
        {
            var socket = new Socket(AddressFamily.Packet, SocketType.Dgram, (ProtocolType)protocol);
            socket.SetRawSocketOption(1, 33, BitConverter.GetBytes(1 << 24)); // SO_RCVBUFFORCE: all waits there until it is asked for
            return socket;
        }));

    /// <summary>What came past the proxy until now, one line each.</summary>
    internal IReadOnlyList<string> Past => Read(_past);

    /// <summary>What the node itself sent until now, the proxy's packets among it.</summary>
    internal IReadOnlyList<string> FromNode => Read(_fromNode);

    public void Dispose() => Array.ForEach(_sockets, socket => socket.Dispose());

    private List<string> Read(List<string> lines)
    {
        foreach (var socket in _sockets)
        {
            while (socket.Poll(TimeSpan.Zero, SelectMode.SelectRead))
            {
                Take(_packet.AsSpan(0, socket.Receive(_packet)));
            }
        }

        return [.. lines];
    }

    /// <summary>SOCK_DGRAM: begins with the IP header.</summary>
    private void Take(ReadOnlySpan<byte> ip)
    {
        if (ip.Length < 28 || ip[0] >> 4 is not (4 or 6))
        {
            return;
        }

        var v4 = ip[0] >> 4 == 4;
        var (protocol, hops, header, size) = v4 ? (ip[9], ip[8], (ip[0] & 15) * 4, 4) : (ip[6], ip[7], 40, 16);
        if (protocol is not (6 or 17) || ip.Length < header + 8)
        {
            return;
        }

        var addresses = ip.Slice(v4 ? 12 : 8, 2 * size);
        var ports = ip[header..];
        var line = $"{(protocol == 6 ? "TCP" : "UDP")} {Name(addresses[..size], ports)} -> {Name(addresses[size..], ports[2..])} hops {hops}"
            + (protocol == 6 && ip.Length >= header + 14 ? $" flags {ip[header + 13]:x2}" : string.Empty);
        (hops == 63 ? _past : _fromNode).Add(line);
    }

    private static string Name(ReadOnlySpan<byte> address, ReadOnlySpan<byte> port) =>
        new IPEndPoint(new IPAddress(address), BinaryPrimitives.ReadUInt16BigEndian(port)).ToString();
}
