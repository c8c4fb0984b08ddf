using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Steering;

/// <summary>
/// Sees each TCP and UDP packet that comes into a namespace next to the node. Who wrote it is in its hop limit: Linux starts with 64, so what the
/// node's proxy sends arrives with 64, and what the node only forwarded arrives with 63.
/// </summary>
internal sealed class PacketWatch : IDisposable
{
    private readonly Socket _socket;
    private readonly Thread _thread;
    private readonly List<string> _fromNode = [];
    private readonly List<string> _past = [];
    private volatile bool _stop;

    internal PacketWatch(NetworkNamespace where)
    {
        // ETH_P_ALL in network order. An unbound packet socket sees all devices.
        _socket = where.Inside(() => new Socket(AddressFamily.Packet, SocketType.Dgram, (ProtocolType)0x0300) { ReceiveBufferSize = 1 << 22 });
        _thread = new Thread(Watch) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>What came past the proxy, one line each.</summary>
    internal IReadOnlyList<string> Past => Copy(_past);

    /// <summary>What the node itself sent, the proxy's packets among it.</summary>
    internal IReadOnlyList<string> FromNode => Copy(_fromNode);

    public void Dispose()
    {
        // Closing a packet socket wakes nobody who reads from it.
        _stop = true;
        _thread.Join();
        _socket.Dispose();
    }

    private static string[] Copy(List<string> lines)
    {
        lock (lines)
        {
            return [.. lines];
        }
    }

    private void Watch()
    {
        var packet = new byte[65536];
        var from = new SocketAddress(AddressFamily.Packet, 20); // struct sockaddr_ll
        while (!_stop)
        {
            if (_socket.Poll(TimeSpan.FromMilliseconds(20), SelectMode.SelectRead))
            {
                var length = _socket.ReceiveFrom(packet, SocketFlags.None, from);
                if (from[10] != 4) // sll_pkttype: PACKET_OUTGOING
                {
                    Take(packet.AsSpan(0, length));
                }
            }
        }
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
        var lines = hops == 63 ? _past : _fromNode;
        lock (lines)
        {
            lines.Add(line);
        }
    }

    private static string Name(ReadOnlySpan<byte> address, ReadOnlySpan<byte> port) =>
        new IPEndPoint(new IPAddress(address), BinaryPrimitives.ReadUInt16BigEndian(port)).ToString();
}
