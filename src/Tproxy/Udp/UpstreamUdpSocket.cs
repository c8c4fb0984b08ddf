using System;
using System.Net;
using System.Net.Sockets;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Udp;

/// <summary>
/// Makes connected, non-blocking UDP sockets for questions to a server that may bear the client's address and port.
/// One socket per client and server: two with the same four numbers would both bind, and the kernel gives the answers to either.
/// If the server's host says "port unreachable", the next call fails with <see cref="SocketError.ConnectionRefused"/>, once; the socket stays usable.
/// With a client's address that ICMP message reaches this host only where steering takes ICMP along.
/// </summary>
public static class UpstreamUdpSocket
{
    /// <exception cref="TproxyException">No capability, no route, the source's port is taken; <see cref="TproxyException.SocketError"/> tells them apart.</exception>
    public static Socket Create(UdpUpstreamSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var destination = SourceBinding.Normalise(spec.Destination);
        var step = "open a socket";
        Socket? socket = null;
        try
        {
            socket = new Socket(destination.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            if (spec.Mark is { } mark)
            {
                step = "set SO_MARK";
                SocketOption.Set(socket, SocketOption.SolSocket, SocketOption.SoMark, unchecked((int)mark));
            }

            if (SourceBinding.Choose(spec.Source?.Address, destination.Address) is { } source)
            {
                step = "set IP_TRANSPARENT";
                SocketOption.SetTransparent(socket);
                step = "bind the source address";
                if (spec.Source!.Port != 0)
                {
                    // A client that asks two servers from one port needs two sockets. Without a port it must be off: the kernel would give one port twice.
                    SocketOption.Set(socket, SocketOption.SolSocket, SocketOption.SoReuseAddr, 1);
                }

                socket.Bind(new IPEndPoint(source, spec.Source.Port));
            }

            step = "connect";
            socket.Connect(destination);
            // Between bind and connect the socket took datagrams of anybody, and connecting does not throw them away: forged answers could lie there.
            DropFilter.Drain(socket);
            return socket;
        }
        catch (SocketException error)
        {
            socket?.Dispose();
            var mend = error.SocketErrorCode switch
            {
                SocketError.AccessDenied when step != "connect" => $"the process lacks CAP_NET_ADMIN (or CAP_NET_BIND_SERVICE for a port below 1024); {ListenerFault.CapabilityMend}, or switch off original source addresses and marks",
                SocketError.AddressAlreadyInUse => "another socket of this host has that address and port; close it, or let the kernel choose the port",
                SocketError.NetworkUnreachable or SocketError.HostUnreachable => "no route leads there (ip route get shows it)",
                _ => $"{error.Message} ({error.SocketErrorCode})",
            };
            throw new TproxyException($"cannot {step} for UDP from {spec.Source?.ToString() ?? "any address"} to {destination}: {mend}", error);
        }
    }
}
