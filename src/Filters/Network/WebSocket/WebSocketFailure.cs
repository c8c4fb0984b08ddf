using System;

namespace Postern.Filters.Network.WebSocket;

/// <summary>How each failure of reading a handshake is counted and explained.</summary>
internal static class WebSocketFailure
{
    /// <summary>The counter and the words.</summary>
    public static (WebSocketCount Count, string Detail) Of(HandshakeError error) => error switch
    {
        HandshakeError.NotHttp => (WebSocketCount.HandshakeNotHttp, "the first bytes are no WebSocket handshake; does the peer speak WebSocket on this port?"),
        HandshakeError.TooLarge => (WebSocketCount.HandshakeTooLarge, $"the handshake is longer than {WebSocketOptions.MaxHandshake} bytes"),
        HandshakeError.Version => (WebSocketCount.HandshakeInvalidHttpVersion, "the handshake is not HTTP/1.1"),
        HandshakeError.Malformed => (WebSocketCount.HandshakeParseError, "the handshake is malformed HTTP/1.1, or has a header name with \"_\""),
        _ => throw new ArgumentOutOfRangeException(nameof(error)),
    };
}
