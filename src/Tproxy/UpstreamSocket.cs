using System;
using System.Net;
using System.Net.Sockets;
using Postern.Tproxy.Native;

namespace Postern.Tproxy;

/// <summary>
/// Makes sockets for upstream connections that may bear the client's address.
/// The source port is the kernel's: with IP_BIND_ADDRESS_NO_PORT it is chosen at connect, so ports run out per 4-tuple and not per
/// source address. The caller connects (<see cref="Socket.ConnectAsync(EndPoint)"/>) and owns the socket.
/// </summary>
public static class UpstreamSocket
{
    /// <exception cref="TproxyException">No capability, or the bind was refused; <see cref="TproxyException.SocketError"/> tells them apart.</exception>
    public static Socket Create(UpstreamSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (spec.LingerSeconds is < 0 or > ushort.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(spec), spec.LingerSeconds, "linger is 0 to 65535 seconds");
        }

        var destination = SourceBinding.Normalise(spec.Destination);
        var step = "open a socket";
        Socket? socket = null;
        try
        {
            socket = new Socket(destination.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            if (spec.Mark is { } mark)
            {
                step = "set SO_MARK";
                SocketOption.Set(socket, SocketOption.SolSocket, SocketOption.SoMark, unchecked((int)mark));
            }

            if (spec.LingerSeconds is { } linger)
            {
                socket.LingerState = new LingerOption(enable: true, linger);
            }

            if (SourceBinding.Choose(spec.Source, destination.Address) is { } source)
            {
                step = "set IP_TRANSPARENT";
                SocketOption.SetTransparent(socket);
                step = "bind the source address";
                SocketOption.Set(socket, SocketOption.SolSocket, SocketOption.SoReuseAddr, 1);
                // Level IP also for IPv6 sockets: there is only this one.
                SocketOption.Set(socket, SocketOption.SolIp, SocketOption.IpBindAddressNoPort, 1);
                socket.Bind(new IPEndPoint(source, 0));
            }

            return socket;
        }
        catch (SocketException error)
        {
            socket?.Dispose();
            var mend = error.SocketErrorCode == SocketError.AccessDenied
                ? $"the process lacks CAP_NET_ADMIN; {ListenerFault.CapabilityMend}, or switch off original source addresses and marks"
                : $"{error.Message} ({error.SocketErrorCode})";
            throw new TproxyException($"cannot {step} for the upstream connection from {spec.Source?.ToString() ?? "any address"} to {destination}: {mend}", error);
        }
    }
}
