using System;
using System.Net;
using System.Net.Sockets;
using Envoy.Config.Core.V3;
using Postern.Xds.Config;
using Postern.Xds.Text;
using SocketAddress = Envoy.Config.Core.V3.SocketAddress;

namespace Postern.Xds.Resources;

/// <summary>Socket addresses and CIDR ranges. Texts are read strictly: no host names, short IPv4 forms, brackets or zones.</summary>
internal static class Addresses
{
    /// <summary>A TCP address with a numeric port, or a Unix socket; <c>@name</c> is in the abstract namespace.</summary>
    public static EndPoint ToSocketOrPipe(Address? address, ConfigPath path)
    {
        if (address?.Pipe is not { } pipe)
        {
            return address?.SocketAddress is not null ? ToEndPoint(address, path) : throw path.Error("needs a socket_address {address, port_value} or a pipe {path}");
        }
        path = path.Field("pipe").Field("path");
        TypedConfig.Required(pipe.Path, path);
        if (pipe.Path.Contains('\0', StringComparison.Ordinal))
        {
            throw path.Error("must not hold a NUL");
        }
        try
        {
            return new UnixDomainSocketEndPoint(pipe.Path[0] == '@' ? "\0" + pipe.Path[1..] : pipe.Path);
        }
        catch (ArgumentOutOfRangeException)
        {
            throw path.Error($"the path of a Unix socket has at most 107 bytes, this one is longer: {Printable.Quote(pipe.Path)}");
        }
    }

    /// <summary>A TCP address with a numeric port.</summary>
    public static IPEndPoint ToEndPoint(Address? address, ConfigPath path)
    {
        if (address?.SocketAddress is not { } socket)
        {
            if (address?.Pipe is not null)
            {
                throw path.Field("pipe").Error("Unix sockets are not built in here; use socket_address");
            }
            throw path.Error("needs a socket_address {address, port_value}");
        }
        path = path.Field("socket_address");
        if (socket.Protocol != SocketAddress.Types.Protocol.Tcp)
        {
            throw path.Field("protocol").Error("only TCP is built in here; remove it or write TCP");
        }
        switch (socket.PortSpecifierCase)
        {
            case SocketAddress.PortSpecifierOneofCase.NamedPort:
                throw path.Field("named_port").Error("named ports are not built in; use port_value");
            case SocketAddress.PortSpecifierOneofCase.None:
                throw path.Error("needs a port_value");
        }
        if (socket.PortValue > 65535)
        {
            throw path.Field("port_value").Error($"{socket.PortValue} is not within 0 to 65535");
        }
        var ip = Parse(socket.Address)
            ?? throw path.Field("address").Error($"expected an IPv4 or IPv6 address (host names are not resolved), found {Printable.Quote(socket.Address)}");
        return new IPEndPoint(ip, (int)socket.PortValue);
    }

    /// <summary>A range with its host bits cleared, as Envoy does.</summary>
    public static CidrConfig ToCidr(CidrRange range, ConfigPath path)
    {
        var ip = Parse(range.AddressPrefix)
            ?? throw path.Field("address_prefix").Error($"expected an IPv4 or IPv6 address, found {Printable.Quote(range.AddressPrefix)}");
        var max = ip.AddressFamily == AddressFamily.InterNetwork ? 32u : 128u;
        // Envoy reads an absent length as 0, that is as "any address": too far from what its writer meant to guess.
        var length = range.PrefixLen ?? throw path.Error($"needs a prefix_len; write {max} for one address, 0 for all");
        if (length > max)
        {
            throw path.Field("prefix_len").Error($"{length} is not within 0 to {max}");
        }
        var bytes = ip.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var kept = Math.Clamp((int)length - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xFF << (8 - kept));
        }
        return new CidrConfig(new IPAddress(bytes), (int)length);
    }

    /// <summary>Null when the text is not exactly an address.</summary>
    public static IPAddress? Parse(string text)
    {
        // IPAddress.TryParse alone takes "1", "0x7f.1", "010.0.0.1" (octal), "[::1]:80" and "fe80::1%eth0".
        if (text.Length is 0 or > 45 || text.AsSpan().IndexOfAny("[]%/ ") >= 0 || !IPAddress.TryParse(text, out var ip))
        {
            return null;
        }
        return ip.AddressFamily == AddressFamily.InterNetworkV6 || ip.ToString() == text ? ip : null;
    }
}
