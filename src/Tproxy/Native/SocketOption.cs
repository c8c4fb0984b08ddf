using System;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Native;

/// <summary>
/// Linux socket options by number, set past the runtime's own mapping: the runtime turns <see cref="SocketOptionName.ReuseAddress"/>
/// into SO_REUSEPORT, and has no names for the rest.
/// </summary>
internal static class SocketOption
{
    internal const int SolIp = 0;
    internal const int SolSocket = 1;
    internal const int SolTcp = 6;
    internal const int SolIpv6 = 41;

    internal const int SoReuseAddr = 2;
    internal const int SoSendBuffer = 7;
    internal const int SoReceiveBuffer = 8;
    internal const int SoReusePort = 15;
    internal const int SoAttachFilter = 26;
    internal const int SoSendBufferForce = 32;
    internal const int SoReceiveBufferForce = 33;
    internal const int SoMark = 36;
    internal const int SoReceiveQueueOverflow = 40;
    internal const int SoLockFilter = 44;
    internal const int IpPacketInfo = 8;
    internal const int IpMtuDiscover = 10;
    internal const int IpTransparent = 19;
    internal const int IpOriginalDestination = 20;
    internal const int IpBindAddressNoPort = 24;
    internal const int Ipv6Transparent = 75;
    internal const int Ipv6V6Only = 26;
    internal const int Ipv6MtuDiscover = 23;
    internal const int Ipv6PacketInfo = 50;
    internal const int Ipv6OriginalDestination = 74;
    internal const int TcpKeepIdle = 4;
    internal const int TcpKeepIntvl = 5;

    /// <summary>SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST share the number; the level tells them apart.</summary>
    internal const int OriginalDst = 80;

    /// <exception cref="SocketException">EPERM and EACCES come as <see cref="SocketError.AccessDenied"/>, ENOPROTOOPT as <see cref="SocketError.ProtocolOption"/>.</exception>
    internal static void Set(Socket socket, int level, int name, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        MemoryMarshal.Write(bytes, in value);
        socket.SetRawSocketOption(level, name, bytes);
    }

    internal static int Get(Socket socket, int level, int name)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        socket.GetRawSocketOption(level, name, bytes);
        return MemoryMarshal.Read<int>(bytes);
    }

    internal static void SetTransparent(Socket socket)
    {
        if (socket.AddressFamily == AddressFamily.InterNetworkV6)
        {
            Set(socket, SolIpv6, Ipv6Transparent, 1);
        }
        else
        {
            Set(socket, SolIp, IpTransparent, 1);
        }
    }
}
