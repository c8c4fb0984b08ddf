using System;
using System.Net;
using System.Net.Sockets;
using Postern.Tproxy.Native;

namespace Postern.Tproxy;

/// <summary>Makes listening TCP sockets that may take connections meant for others.</summary>
public static class TransparentListener
{
    /// <summary>A bound, listening socket.</summary>
    /// <exception cref="TproxyException">No capability, port in use, address not of this host, address malformed.</exception>
    public static Socket Listen(ListenerSpec spec)
    {
        var socket = Bind(spec);
        try
        {
            // With SO_REUSEADDR two binds to one port succeed; the second listen is what fails.
            socket.Listen(spec.Backlog);
            return socket;
        }
        catch (SocketException error)
        {
            socket.Dispose();
            throw ListenerFault.Describe("listen on", spec, error);
        }
    }

    /// <summary>A bound socket that does not listen yet, for hosts that call listen themselves (Kestrel's <c>CreateBoundListenSocket</c>).</summary>
    /// <exception cref="TproxyException">As for <see cref="Listen"/>.</exception>
    public static Socket Bind(ListenerSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var address = spec.Address.Address;
        if (address.IsIPv4MappedToIPv6)
        {
            throw new TproxyException($"cannot listen on {spec.Address}: a v4-mapped address is ambiguous; write {address.MapToIPv4()}");
        }

        if (spec.Backlog <= 0)
        {
            throw new TproxyException($"cannot listen on {spec.Address}: backlog {spec.Backlog} must be 1 or more");
        }

        var step = "open a socket for";
        Socket? socket = null;
        try
        {
            socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
            {
                // Always one family per socket: a dual-stack one would need both transparent options and shows v4 peers as mapped.
                SocketOption.Set(socket, SocketOption.SolIpv6, SocketOption.Ipv6V6Only, 1);
            }

            SocketOption.Set(socket, SocketOption.SolSocket, SocketOption.SoReuseAddr, 1);
            ListenerOptions.Apply(socket, spec.ReusePort, spec.Transparent, spec.Mark, ref step);
            step = "bind";
            socket.Bind(spec.Address);
            return socket;
        }
        catch (SocketException error)
        {
            socket?.Dispose();
            throw ListenerFault.Describe(step, spec, error);
        }
    }
}
