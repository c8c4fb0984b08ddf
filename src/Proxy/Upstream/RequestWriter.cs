using System;
using Postern.Proxy.Http1;
using Postern.Proxy.Transport;
using Postern.Records;

namespace Postern.Proxy.Upstream;

/// <summary>
/// Writes a request head of HTTP/1: the same target, the same lines in the same order with the same case; hop-by-hop lines were taken out before. A head that came by HTTP/2
/// gets the lines that HTTP/1 wants in the place of pseudo fields.
/// </summary>
internal static class RequestWriter
{
    /// <summary>Whether the body goes in chunks.</summary>
    public static bool Chunks(RequestHead head) => head.IsChunked || head.IsStreamed;

    /// <summary>Appends the head.</summary>
    public static void Write(RequestHead head, SendBuffer output)
    {
        output.Append(head.Method);
        output.Append(" "u8);
        output.Append(head.UpstreamTarget is { } rewritten ? rewritten : head.Target);
        output.Append(head.Version == HttpProtocol.Http10 ? " HTTP/1.0\r\n"u8 : " HTTP/1.1\r\n"u8);
        if (head.Version == HttpProtocol.Http2)
        {
            WriteTranslated(head, output);
        }
        else
        {
            ResponseWriter.WriteLines(head, output);
        }
        output.Append("\r\n"u8);
    }

    private static void WriteTranslated(RequestHead head, SendBuffer output)
    {
        output.Append("host: "u8);
        output.Append(head.Authority);
        output.Append("\r\n"u8);
        for (var i = 0; i < head.Count; i++)
        {
            if (!head.NameIs(i, "host") && !head.NameIs(i, "te")) // te speaks of one connection
            {
                ResponseWriter.WriteLine(head.NameAt(i), head.ValueAt(i), output);
            }
        }
        if (head.IsStreamed && !head.IsExtendedConnect)
        {
            output.Append("transfer-encoding: chunked\r\n"u8);
        }
        if (head.IsExtendedConnect)
        {
            WriteUpgrade(head, output);
        }
    }

    // RFC 8441 §5: the same wish in the words of HTTP/1.1. The key is of no use to anybody behind this proxy, but servers ask for one.
    private static void WriteUpgrade(RequestHead head, SendBuffer output)
    {
        output.Append("connection: Upgrade\r\nupgrade: "u8);
        output.Append(head.UpgradeProtocol);
        output.Append("\r\n"u8);
        if (head.UpgradeProtocol == "websocket" && !head.TryFind("sec-websocket-key", out _))
        {
            Span<byte> key = stackalloc byte[16];
            System.Security.Cryptography.RandomNumberGenerator.Fill(key);
            output.Append("sec-websocket-key: "u8);
            output.Append(Convert.ToBase64String(key));
            output.Append("\r\n"u8);
        }
    }
}
