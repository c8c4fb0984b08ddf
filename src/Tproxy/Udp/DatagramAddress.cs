using System;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Postern.Tproxy.Udp;

/// <summary>Address and port of one end of a datagram: what <see cref="IPEndPoint"/> says, without allocating.</summary>
public readonly record struct DatagramAddress
{
    internal const int SockAddrInSize = OriginalDestination.SockAddrInSize;
    internal const int SockAddrIn6Size = OriginalDestination.SockAddrIn6Size;
    internal const ushort AfInet = 2;
    internal const ushort AfInet6 = 10;

    // The address's bytes as they lie in memory: 4 of the first for IPv4.
    private readonly ulong _first;
    private readonly ulong _second;
    private readonly ushort _family;

    private DatagramAddress(ushort family, ReadOnlySpan<byte> address, ushort port, uint scope)
    {
        _family = family;
        if (family == AfInet)
        {
            _first = MemoryMarshal.Read<uint>(address);
        }
        else
        {
            _first = MemoryMarshal.Read<ulong>(address);
            _second = MemoryMarshal.Read<ulong>(address[8..]);
        }

        Port = port;
        Scope = scope;
    }

    public ushort Port { get; }

    /// <summary>The interface's index for a link-local IPv6 address, else 0.</summary>
    public uint Scope { get; }

    /// <summary>IPv4 or IPv6; <see cref="AddressFamily.Unspecified"/> for a default value.</summary>
    public AddressFamily Family => _family switch
    {
        AfInet => AddressFamily.InterNetwork,
        AfInet6 => AddressFamily.InterNetworkV6,
        _ => AddressFamily.Unspecified,
    };

    /// <summary>4, 16, or 0 bytes for a default value.</summary>
    public int AddressLength => _family switch { AfInet => 4, AfInet6 => 16, _ => 0 };

    /// <exception cref="ArgumentException">Neither IPv4 nor IPv6.</exception>
    public static DatagramAddress From(IPEndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        Span<byte> bytes = stackalloc byte[16];
        return !endPoint.Address.TryWriteBytes(bytes, out var length)
            ? throw new ArgumentException($"{endPoint} is no IP address", nameof(endPoint))
            : length == 4
                ? new DatagramAddress(AfInet, bytes, (ushort)endPoint.Port, 0)
                : new DatagramAddress(AfInet6, bytes, (ushort)endPoint.Port, (uint)endPoint.Address.ScopeId);
    }

    /// <summary>Writes the address, in network order, and returns its length.</summary>
    public int CopyTo(Span<byte> address)
    {
        if (_family == AfInet)
        {
            MemoryMarshal.Write(address, (uint)_first);
        }
        else if (_family == AfInet6)
        {
            MemoryMarshal.Write(address, in _first);
            MemoryMarshal.Write(address[8..], in _second);
        }

        return AddressLength;
    }

    /// <exception cref="InvalidOperationException">This is a default value.</exception>
    public IPEndPoint ToEndPoint()
    {
        Span<byte> bytes = stackalloc byte[16];
        return CopyTo(bytes) switch
        {
            4 => new IPEndPoint(new IPAddress(bytes[..4]), Port),
            16 => new IPEndPoint(new IPAddress(bytes, Scope), Port),
            _ => throw new InvalidOperationException("an empty datagram address has no end point"),
        };
    }

    public override string ToString() => _family == 0 ? "none" : ToEndPoint().ToString();

    /// <summary>Reads a struct sockaddr_in or sockaddr_in6 that fills <paramref name="bytes"/> exactly.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, out DatagramAddress address)
    {
        // The family is in host order, the port is not.
        var family = bytes.Length >= SockAddrInSize ? MemoryMarshal.Read<ushort>(bytes) : (ushort)0;
        if (family == AfInet && bytes.Length == SockAddrInSize)
        {
            address = new DatagramAddress(AfInet, bytes.Slice(4, 4), BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), 0);
            return true;
        }

        if (family == AfInet6 && bytes.Length == SockAddrIn6Size)
        {
            address = new DatagramAddress(AfInet6, bytes.Slice(8, 16), BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), MemoryMarshal.Read<uint>(bytes[24..]));
            return true;
        }

        address = default;
        return false;
    }

    /// <summary>Writes a struct sockaddr_in or sockaddr_in6 with port 0, as a raw socket wants it, and returns its length.</summary>
    internal int WriteSockAddr(Span<byte> bytes)
    {
        bytes[..SockAddrIn6Size].Clear();
        MemoryMarshal.Write(bytes, in _family);
        if (_family == AfInet)
        {
            CopyTo(bytes[4..]);
            return SockAddrInSize;
        }

        CopyTo(bytes[8..]);
        MemoryMarshal.Write(bytes[24..], Scope);
        return SockAddrIn6Size;
    }
}
