using System;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Postern.Filters.Network.WebSocket;

/// <summary>What a handshake must say for <c>cilium.network.websocket.server</c> to agree.</summary>
internal static class HandshakeCheck
{
    /// <summary>Null when all is well, else what is wrong.</summary>
    public static string? FindProblem(HandshakeHead head, WebSocketOptions options, out IPEndPoint? destination)
    {
        destination = null;
        if (!Is(head.FindOnly("connection"), "upgrade"))
        {
            return "connection is not just \"upgrade\"";
        }
        if (!Is(head.FindOnly("upgrade"), "websocket"))
        {
            return "upgrade is not \"websocket\"";
        }
        if ((head.Has("content-length") && head.FindOnly("content-length") != "0") || head.Has("transfer-encoding"))
        {
            return "a handshake has no body";
        }
        if (head.HasTwoHosts)
        {
            return "host comes twice";
        }
        if (Differs(head.Target, options.Path, "path") is { } path)
        {
            return path;
        }
        if (Differs(head.Authority.ToString(), options.Host, "host") is { } host)
        {
            return host;
        }
        var key = head.FindOnly("sec-websocket-key") ?? "";
        if (key.Length == 0 || (options.Key.Length > 0 && key != options.Key))
        {
            return "sec-websocket-key is missing or not the configured key";
        }
        if (Differs(head.FindOnly("sec-websocket-version") ?? "", options.Version, "version") is { } version)
        {
            return version;
        }
        if (options.Origin.Length > 0 ? !Is(head.FindOnly("origin"), options.Origin) : head.Has("origin"))
        {
            return options.Origin.Length > 0 ? "origin is not the configured one" : "there is an origin, but none is configured";
        }
        if (head.Has("sec-websocket-protocol") || head.Has("sec-websocket-extensions"))
        {
            return "it asks for a sub-protocol or an extension";
        }
        destination = ParseAddress(head.FindOnly("x-envoy-original-dst-host") ?? "");
        return destination is null ? "x-envoy-original-dst-host is no IP address with a port" : null;
    }

    private static string? Differs(string value, string configured, string what) =>
        value.Length == 0 ? what + " is missing" : configured.Length > 0 && !Is(value, configured) ? what + " is not the configured one" : null;

    private static bool Is(string? value, string expected) => string.Equals(value, expected, StringComparison.OrdinalIgnoreCase);

    // Strictly "a.b.c.d:port" or "[v6]:port": what another reader could take for another address is refused.
    private static IPEndPoint? ParseAddress(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            return null;
        }
        var host = text[..colon];
        var bracketed = host is ['[', .., ']'];
        if (!IPAddress.TryParse(bracketed ? host[1..^1] : host, out var address) || text.Contains('%', StringComparison.Ordinal))
        {
            return null;
        }
        if (bracketed != (address.AddressFamily == AddressFamily.InterNetworkV6) || (!bracketed && address.ToString() != host))
        {
            return null;
        }
        return new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port);
    }
}
