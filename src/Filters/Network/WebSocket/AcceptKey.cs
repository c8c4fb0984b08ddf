using System;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Postern.Filters.Network.WebSocket;

/// <summary>Keys of handshakes (RFC 6455 §4.2.2).</summary>
public static class AcceptKey
{
    /// <summary>What Sec-WebSocket-Accept must say to a Sec-WebSocket-Key.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "RFC 6455 says SHA-1; it proves that the server speaks WebSocket, and keeps nothing secret")]
    public static string For(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.Latin1.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));

    /// <summary>As on the wire: base64 of a configured key, or of 16 random bytes where none is.</summary>
    public static string Encode(string configured) =>
        Convert.ToBase64String(configured.Length > 0 ? Encoding.UTF8.GetBytes(configured) : RandomNumberGenerator.GetBytes(16));
}
