using System;
using System.Net.Sockets;
using Postern.Tproxy.Native;

namespace Postern.Tproxy.Udp;

/// <summary>Makes UDP sockets that take datagrams meant for others and tell where those were meant to go.</summary>
public static class UdpListener
{
    /// <summary>
    /// A bound socket. Unlike a TCP listener it has no SO_REUSEADDR: with it a second socket would bind the same port without an error and take
    /// the traffic, and UDP has no TIME_WAIT that it would be good for.
    /// </summary>
    /// <exception cref="TproxyException">No capability, port in use, address not of this host, address malformed.</exception>
    public static Socket Bind(UdpListenerSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var address = spec.Address.Address;
        if (address.IsIPv4MappedToIPv6)
        {
            throw new TproxyException($"cannot listen on {spec.Address}: a v4-mapped address is ambiguous; write {address.MapToIPv4()}");
        }

        if (spec.ReceiveBufferBytes < 0)
        {
            throw new TproxyException($"cannot listen on {spec.Address}: a receive buffer of {spec.ReceiveBufferBytes} bytes; write 0 for the kernel's default, or more");
        }

        var step = "open a UDP socket for";
        Socket? socket = null;
        try
        {
            socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            ListenerOptions.Apply(socket, spec.ReusePort, spec.Transparent, spec.Mark, ref step);
            step = "ask for original destinations on";
            AskForDestinations(socket);
            if (spec.ReceiveBufferBytes > 0)
            {
                step = "set the receive buffer of";
                SocketBuffer.Set(socket, SocketOption.SoReceiveBufferForce, SocketOption.SoReceiveBuffer, spec.ReceiveBufferBytes);
            }

            step = "bind UDP";
            socket.Bind(spec.Address);
            return socket;
        }
        catch (SocketException error)
        {
            socket?.Dispose();
            throw ListenerFault.Describe(step, spec.Address, ProtocolType.Udp, error);
        }
    }

    private static void AskForDestinations(Socket socket)
    {
        if (socket.AddressFamily == AddressFamily.InterNetworkV6)
        {
            // One family per socket: a dual-stack one would need both sets of options and shows v4 peers as mapped.
            SocketOption.Set(socket, SocketOption.SolIpv6, SocketOption.Ipv6V6Only, 1);
            SocketOption.Set(socket, SocketOption.SolIpv6, SocketOption.Ipv6OriginalDestination, 1);
        }
        else
        {
            SocketOption.Set(socket, SocketOption.SolIp, SocketOption.IpOriginalDestination, 1);
        }

        // How many datagrams a full queue lost comes with the next one that is received.
        SocketOption.Set(socket, SocketOption.SolSocket, SocketOption.SoReceiveQueueOverflow, 1);
    }
}
