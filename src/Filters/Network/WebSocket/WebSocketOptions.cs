using System;

namespace Postern.Filters.Network.WebSocket;

/// <summary>
/// A <c>cilium.network.websocket.client</c> or <c>…server</c> as it runs. Text that is compared without regard to case is lower case here, and the client sends it so.
/// </summary>
public sealed record WebSocketOptions
{
    /// <summary>Of a handshake, bytes.</summary>
    public const int MaxHandshake = 4096;

    /// <summary>Client: what to send. Server: what is expected, empty for anything.</summary>
    public required string Host { get; init; }

    /// <summary>As <see cref="Host"/>; a client's is never empty.</summary>
    public required string Path { get; init; }

    /// <summary>As <see cref="Host"/>, in base64 as on the wire; the same for all connections of a client.</summary>
    public required string Key { get; init; }

    /// <summary>As <see cref="Host"/>; a client's is never empty.</summary>
    public required string Version { get; init; }

    /// <summary>Client: sent unless empty. Server: expected; where it is empty there must be none.</summary>
    public required string Origin { get; init; }

    /// <summary>Milliseconds from the connection to the whole handshake.</summary>
    public required long HandshakeMillis { get; init; }

    /// <summary>Milliseconds between pings, 0 for none.</summary>
    public required long PingMillis { get; init; }

    /// <summary>Data of either way puts the next ping off.</summary>
    public required bool PingWhenIdle { get; init; }

    /// <summary>From 0 to 1: how much of the 15 % jitter the next ping gets.</summary>
    public Func<double> Jitter { get; init; } = Random.Shared.NextDouble;
}
