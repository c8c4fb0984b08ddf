using System;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Postern.Tproxy.Native;

namespace Postern.Tproxy;

/// <summary>
/// Where a client meant to connect to. Under TPROXY packets arrive unchanged, so it is the accepted socket's own local address. Under REDIRECT
/// the local address is the listener's and conntrack remembers the old one (SO_ORIGINAL_DST).
/// </summary>
public static class OriginalDestination
{
    // struct sockaddr_in6: family, port, flow info, address[16], scope. sockaddr_in ends after address[4].
    internal const int SockAddrIn6Size = 28;
    internal const int SockAddrInSize = 16;
    private const int AfInet = 2;
    private const int AfInet6 = 10;

    /// <summary>
    /// The original destination, v4-mapped addresses as IPv4. Conntrack is asked only if the local address is <paramref name="bound"/>'s own
    /// (any local address for a wildcard bind): for a TPROXY'd connection the local address is what policy is about, even where a later DNAT made
    /// conntrack remember another (a service address).
    /// </summary>
    /// <param name="accepted">The accepted socket.</param>
    /// <param name="bound">The listener's bound address and port.</param>
    public static IPEndPoint Of(Socket accepted, IPEndPoint bound)
    {
        ArgumentNullException.ThrowIfNull(bound);
        var local = Of(accepted);
        return LoopGuard.Covers(SourceBinding.Normalise(bound), local) && Redirected(accepted) is { } original ? original : local;
    }

    /// <summary>The original destination of a TPROXY'd connection: the local address, v4-mapped as IPv4. Does not ask conntrack.</summary>
    public static IPEndPoint Of(Socket accepted)
    {
        ArgumentNullException.ThrowIfNull(accepted);
        return SourceBinding.Normalise((IPEndPoint)accepted.LocalEndPoint!);
    }

    /// <summary>What conntrack remembers of a redirected connection, or null if it knows nothing (no NAT, conntrack not loaded).</summary>
    public static IPEndPoint? Redirected(Socket accepted)
    {
        ArgumentNullException.ThrowIfNull(accepted);
        var local = (IPEndPoint)accepted.LocalEndPoint!;
        var level = local.AddressFamily == AddressFamily.InterNetworkV6 && !local.Address.IsIPv4MappedToIPv6
            ? SocketOption.SolIpv6
            : SocketOption.SolIp;
        Span<byte> bytes = stackalloc byte[SockAddrIn6Size];
        var length = level == SocketOption.SolIpv6 ? SockAddrIn6Size : SockAddrInSize;
        return Libc.GetSockOpt(accepted.SafeHandle, level, SocketOption.OriginalDst, bytes, ref length) == 0
            ? ReadSockAddr(bytes[..Math.Min(length, bytes.Length)])
            : null;
    }

    /// <summary>Reads a struct sockaddr_in or sockaddr_in6; null if it is neither.</summary>
    internal static IPEndPoint? ReadSockAddr(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < SockAddrInSize)
        {
            return null;
        }

        var family = BitConverter.ToUInt16(bytes); // host order, unlike the port
        var port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        return family switch
        {
            AfInet => new IPEndPoint(new IPAddress(bytes.Slice(4, 4)), port),
            AfInet6 when bytes.Length >= SockAddrIn6Size =>
                SourceBinding.Normalise(new IPEndPoint(new IPAddress(bytes.Slice(8, 16)), port)),
            _ => null,
        };
    }
}
