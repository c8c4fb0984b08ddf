using System;
using System.Buffers;
using System.Buffers.Text;
using Postern.Proxy.Http1;
using Postern.Proxy.Http2.Hpack;

namespace Postern.Proxy.Http2;

/// <summary>
/// A request of HTTP/1.1 that asks to go on as HTTP/2 (RFC 7540 §3.2): it becomes stream 1, with what <c>HTTP2-Settings</c> said as the client's first SETTINGS. The wish
/// may be ignored, and is where anything about it is odd.
/// </summary>
/// <param name="Block">The request as a header block, by an encoder that nobody else uses.</param>
/// <param name="Settings">Payload of a SETTINGS frame.</param>
internal sealed record Http2Upgrade(byte[] Block, byte[] Settings)
{
    private const int MaxSettings = 64 * PeerSettings.EntrySize;

    /// <summary>The answer behind which HTTP/2 begins.</summary>
    public static ReadOnlyMemory<byte> Answer { get; } = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"u8.ToArray();

    /// <summary>Null where the request asks for nothing of the kind, or not as it should.</summary>
    /// <param name="head">Without hop-by-hop fields.</param>
    /// <param name="limits">Of the listener.</param>
    public static Http2Upgrade? TryMake(RequestHead head, in HeadLimits limits)
    {
        if (head.Http2Settings.Length == 0 || head.HasBody || ReadSettings(head.Http2Settings) is not { } settings || new PeerSettings().Apply(settings, fromServer: false) is not null)
        {
            return null;
        }
        var buffer = ArrayPool<byte>.Shared.Rent(1024);
        try
        {
            var end = HeadWriter.WriteRequest(new HpackEncoder(), head, ref buffer, 0);
            if (end < 0)
            {
                return null;
            }
            // Both versions must read it alike, or it stays what it is.
            var again = new RequestHead();
            var block = buffer.AsSpan(0, end).ToArray();
            return new HeadReader().ReadRequest(NewDecoder(), block, endStream: true, again, limits) == Http2HeadError.None ? new Http2Upgrade(block, settings) : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>For <see cref="Block"/>.</summary>
    public static HpackDecoder NewDecoder() => new(4096);

    // token68 of base64url without padding.
    private static byte[]? ReadSettings(string text)
    {
        if (text.Length > MaxSettings * 4 / 3 || !Base64Url.IsValid(text))
        {
            return null;
        }
        var bytes = Base64Url.DecodeFromChars(text);
        return bytes.Length % PeerSettings.EntrySize == 0 ? bytes : null;
    }
}
