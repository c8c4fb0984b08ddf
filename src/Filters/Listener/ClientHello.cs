using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;

namespace Postern.Filters.Listener;

/// <summary>
/// Reads SNI and ALPN out of the first flight of a TLS client (RFC 8446 §4.1.2, RFC 6066 §3, RFC 7301) without consuming it.
/// A hello may be cut into several records and, with post-quantum key shares, exceed one record; the caller bounds the total.
/// </summary>
public sealed class ClientHello
{
    private const int RecordHeader = 5;
    private const byte HandshakeRecord = 0x16;
    private const byte ClientHelloMessage = 0x01;
    private const int MaxRecord = 16 * 1024;

    private ClientHello(string serverName, IReadOnlyList<string> applicationProtocols)
    {
        ServerName = serverName;
        ApplicationProtocols = applicationProtocols;
    }

    /// <summary>host_name of server_name, lower case; empty when the client sent none.</summary>
    public string ServerName { get; }

    /// <summary>ALPN protocol names in the client's order.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; }

    /// <summary>Looks at all bytes received so far.</summary>
    /// <param name="bytes">From the first byte of the connection.</param>
    /// <param name="hello">Set on <see cref="PeekResult.Match"/>.</param>
    public static PeekResult TryRead(ReadOnlySpan<byte> bytes, out ClientHello? hello)
    {
        hello = null;
        if (bytes.Length == 0)
        {
            return PeekResult.NeedMore;
        }
        if (bytes[0] != HandshakeRecord || (bytes.Length > 1 && bytes[1] != 3))
        {
            return PeekResult.NoMatch;
        }
        // The handshake message is gathered across records; the common case is one record and no copy.
        byte[]? gathered = null;
        var used = 0;
        var rest = bytes;
        while (true)
        {
            if (rest.Length < RecordHeader)
            {
                return PeekResult.NeedMore;
            }
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest[3..]);
            if (rest[0] != HandshakeRecord || rest[1] != 3 || length is 0 or > MaxRecord)
            {
                return PeekResult.Malformed;
            }
            var body = rest.Slice(RecordHeader, Math.Min(length, rest.Length - RecordHeader));
            ReadOnlySpan<byte> message;
            if (gathered is null && used == 0)
            {
                message = body;
            }
            else
            {
                body.CopyTo(gathered.AsSpan(used));
                message = gathered.AsSpan(0, used + body.Length);
            }
            if (message.Length > 0 && message[0] != ClientHelloMessage)
            {
                return PeekResult.Malformed;
            }
            if (message.Length >= 4)
            {
                var size = (message[1] << 16) | (message[2] << 8) | message[3];
                if (message.Length >= 4 + size)
                {
                    return TryParse(message.Slice(4, size), out hello) ? PeekResult.Match : PeekResult.Malformed;
                }
            }
            if (body.Length < length)
            {
                return PeekResult.NeedMore;
            }
            gathered ??= GatherStart(bytes.Length, body);
            used = message.Length;
            rest = rest[(RecordHeader + length)..];
        }
    }

    private static byte[] GatherStart(int capacity, ReadOnlySpan<byte> first)
    {
        var buffer = new byte[capacity];
        first.CopyTo(buffer);
        return buffer;
    }

    private static bool TryParse(ReadOnlySpan<byte> body, out ClientHello? hello)
    {
        hello = null;
        if (!Skip(ref body, 2 + 32) || !SkipVector8(ref body) || !SkipVector16(ref body) || !SkipVector8(ref body))
        {
            return false;
        }
        var serverName = "";
        IReadOnlyList<string> protocols = [];
        if (body.Length == 0)
        {
            hello = new ClientHello(serverName, protocols); // no extensions: legal in TLS 1.2
            return true;
        }
        if (!TakeVector16(ref body, out var extensions) || body.Length != 0)
        {
            return false;
        }
        bool sawName = false, sawAlpn = false;
        while (extensions.Length > 0)
        {
            if (extensions.Length < 4)
            {
                return false;
            }
            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TakeVector16(ref extensions, out var data))
            {
                return false;
            }
            switch (type)
            {
                // A repeated extension is forbidden (RFC 8446 §4.2): two names would let the server see another than policy did.
                case 0 when sawName || !TryParseServerName(data, out serverName):
                case 16 when sawAlpn || !TryParseAlpn(data, out protocols):
                    return false;
                case 0:
                    sawName = true;
                    break;
                case 16:
                    sawAlpn = true;
                    break;
            }
        }
        hello = new ClientHello(serverName, protocols);
        return true;
    }

    private static bool TryParseServerName(ReadOnlySpan<byte> data, out string name)
    {
        name = "";
        if (!TakeVector16(ref data, out var list) || data.Length != 0)
        {
            return false;
        }
        while (list.Length > 0)
        {
            var type = list[0];
            list = list[1..];
            if (!TakeVector16(ref list, out var entry))
            {
                return false;
            }
            if (type != 0)
            {
                continue;
            }
            if (name.Length > 0 || entry.Length is 0 or > 255)
            {
                return false;
            }
            foreach (var b in entry)
            {
                if (b is <= 0x20 or >= 0x7F)
                {
                    return false;
                }
            }
            name = Encoding.ASCII.GetString(entry).ToLowerInvariant();
        }
        return true;
    }

    private static bool TryParseAlpn(ReadOnlySpan<byte> data, out IReadOnlyList<string> protocols)
    {
        var names = new List<string>();
        protocols = names;
        if (!TakeVector16(ref data, out var list) || data.Length != 0)
        {
            return false;
        }
        while (list.Length > 0)
        {
            int length = list[0];
            if (length == 0 || list.Length < 1 + length || names.Count == 64)
            {
                return false;
            }
            names.Add(Encoding.Latin1.GetString(list.Slice(1, length)));
            list = list[(1 + length)..];
        }
        return true;
    }

    private static bool Skip(ref ReadOnlySpan<byte> span, int count)
    {
        if (span.Length < count)
        {
            return false;
        }
        span = span[count..];
        return true;
    }

    private static bool SkipVector8(ref ReadOnlySpan<byte> span) => span.Length > 0 && Skip(ref span, 1 + span[0]);

    private static bool SkipVector16(ref ReadOnlySpan<byte> span) => TakeVector16(ref span, out _);

    private static bool TakeVector16(ref ReadOnlySpan<byte> span, out ReadOnlySpan<byte> vector)
    {
        vector = default;
        if (span.Length < 2)
        {
            return false;
        }
        int length = BinaryPrimitives.ReadUInt16BigEndian(span);
        if (span.Length < 2 + length)
        {
            return false;
        }
        vector = span.Slice(2, length);
        span = span[(2 + length)..];
        return true;
    }
}
