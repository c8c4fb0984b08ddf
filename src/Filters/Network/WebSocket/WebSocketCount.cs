namespace Postern.Filters.Network.WebSocket;

/// <summary>What the WebSocket filters count, each under Cilium's name in snake case below <c>websocket.</c>.</summary>
public enum WebSocketCount
{
    /// <summary>A server refused a handshake by 403.</summary>
    AccessDenied,

    /// <summary>Frames that are not acceptable.</summary>
    ProtocolError,

    /// <summary>No whole handshake in time.</summary>
    HandshakeTimeout,

    /// <summary>The first bytes are no HTTP.</summary>
    HandshakeNotHttp,

    /// <summary>Over 4096 bytes.</summary>
    HandshakeTooLarge,

    /// <summary>Malformed head, or an end within it.</summary>
    HandshakeParseError,

    /// <summary>Not HTTP/1.1.</summary>
    HandshakeInvalidHttpVersion,

    /// <summary>The server answered something else than 101.</summary>
    HandshakeInvalidHttpStatus,

    /// <summary>A request that asks for no WebSocket, or not the one that is configured.</summary>
    HandshakeInvalidWebsocketRequest,

    /// <summary>A 101 that does not fit the request.</summary>
    HandshakeInvalidWebsocketResponse,

    /// <summary>The handshake could not be sent.</summary>
    HandshakeWriteError,

    /// <summary>Pings that were sent.</summary>
    PingSentCount,
}

/// <summary>Counts.</summary>
public interface IWebSocketCounters
{
    /// <summary>One more.</summary>
    void Count(WebSocketCount what);
}
