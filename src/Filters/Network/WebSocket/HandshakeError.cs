namespace Postern.Filters.Network.WebSocket;

/// <summary>Why bytes are no handshake, or not yet.</summary>
public enum HandshakeError
{
    /// <summary>It is one.</summary>
    None,

    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>It does not begin like one.</summary>
    NotHttp,

    /// <summary>Longer than <see cref="WebSocketOptions.MaxHandshake"/>.</summary>
    TooLarge,

    /// <summary>Malformed.</summary>
    Malformed,

    /// <summary>Not HTTP/1.1.</summary>
    Version,
}
