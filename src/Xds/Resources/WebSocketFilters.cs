using System;
using Cilium;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>cilium.network.websocket.client</c> and <c>…server</c>. The two complaints of Cilium's proxy have its words.</summary>
internal static class WebSocketFilters
{
    private static readonly TimeSpan DefaultHandshakeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Validates a client.</summary>
    public static WebSocketConfig ToConfig(WebSocketClient client, ConfigPath path)
    {
        if (client.Host.Length == 0)
        {
            throw path.Field("host").Error("cilium.network.websocket.client: host must be non-empty.");
        }
        return new WebSocketConfig
        {
            Role = WebSocketRole.Client,
            AccessLogPath = client.AccessLogPath,
            Host = Text(client.Host, path.Field("host")),
            Path = client.Path.Length == 0 ? "/" : Text(client.Path, path.Field("path")),
            Key = client.Key,
            Version = client.Version.Length == 0 ? "13" : Text(client.Version, path.Field("version")),
            Origin = Text(client.Origin, path.Field("origin")),
            HandshakeTimeout = Durations.OrOff(client.HandshakeTimeout, DefaultHandshakeTimeout, path.Field("handshake_timeout")) ?? DefaultHandshakeTimeout,
            PingInterval = Ping(client.PingInterval, client.PingWhenIdle, path),
            PingWhenIdle = client.PingWhenIdle,
        };
    }

    /// <summary>Validates a server.</summary>
    public static WebSocketConfig ToConfig(WebSocketServer server, ConfigPath path) => new()
    {
        Role = WebSocketRole.Server,
        AccessLogPath = server.AccessLogPath,
        Host = Text(server.Host, path.Field("host")),
        Path = Text(server.Path, path.Field("path")),
        Key = server.Key,
        Version = Text(server.Version, path.Field("version")),
        Origin = Text(server.Origin, path.Field("origin")),
        HandshakeTimeout = Durations.OrOff(server.HandshakeTimeout, DefaultHandshakeTimeout, path.Field("handshake_timeout")) ?? DefaultHandshakeTimeout,
        PingInterval = Ping(server.PingInterval, server.PingWhenIdle, path),
        PingWhenIdle = server.PingWhenIdle,
    };

    private static TimeSpan? Ping(Duration? interval, bool whenIdle, ConfigPath path)
    {
        var ping = Durations.OrOff(interval, TimeSpan.Zero, path.Field("ping_interval"));
        return whenIdle && ping is null
            ? throw path.Field("ping_when_idle").Error("cilium.network.websocket: ping_when_idle requires ping_interval to be set.")
            : ping;
    }

    // It stands in a head line: a blank or a line end would make another line of it.
    private static string Text(string text, ConfigPath path)
    {
        foreach (var c in text)
        {
            if (c is <= ' ' or > '~')
            {
                throw path.Error("may hold visible ASCII characters only: it stands in the handshake");
            }
        }
        return text;
    }
}
