using System;

namespace Postern.Xds.Config;

/// <summary><c>cilium.network.websocket.client</c> or <c>cilium.network.websocket.server</c>.</summary>
public sealed record WebSocketConfig : NetworkFilterConfig
{
    /// <summary>Which of the two.</summary>
    public required WebSocketRole Role { get; init; }

    /// <summary>SOCK_SEQPACKET socket, or empty.</summary>
    public required string AccessLogPath { get; init; }

    /// <summary>Client: what is sent. Server: what is expected, empty for anything. So are the next four.</summary>
    public required string Host { get; init; }

    /// <summary>Path.</summary>
    public required string Path { get; init; }

    /// <summary>Before base64; empty with a client for a random one.</summary>
    public required string Key { get; init; }

    /// <summary>Sec-WebSocket-Version.</summary>
    public required string Version { get; init; }

    /// <summary>Origin; empty with a server for none.</summary>
    public required string Origin { get; init; }

    /// <summary>Default 5 s.</summary>
    public required TimeSpan HandshakeTimeout { get; init; }

    /// <summary>Null for no pings.</summary>
    public required TimeSpan? PingInterval { get; init; }

    /// <summary>Data puts the next ping off.</summary>
    public required bool PingWhenIdle { get; init; }
}

/// <summary>Which side of WebSocket a filter plays.</summary>
public enum WebSocketRole
{
    /// <summary>Towards the server: bytes become frames.</summary>
    Client,

    /// <summary>Towards the client: frames become bytes.</summary>
    Server,
}
