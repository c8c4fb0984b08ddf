using System;
using System.Security.Cryptography;
using System.Text;
using Postern.Proxy.Http1;
using Postern.Records;

namespace Postern.Proxy.Http2;

/// <summary>
/// An <c>Upgrade</c> of HTTP/1.1 whose server speaks HTTP/2, where it is an extended CONNECT (RFC 8441), and the other way round: "yes" is 101 in the one and 2xx in the
/// other, with the fields that only the one has.
/// </summary>
/// <param name="Protocol">In lower case.</param>
/// <param name="Key"><c>Sec-WebSocket-Key</c>, or empty.</param>
internal sealed record ProtocolChange(string Protocol, string Key)
{
    private const string Accept = "sec-websocket-accept";

    /// <summary>What a request of HTTP/1.1 asks for; null where it asks for none, or came by HTTP/2 itself.</summary>
    public static ProtocolChange? Of(RequestHead head) => head.UpgradeProtocol.Length == 0 || head.Version == HttpProtocol.Http2
        ? null
        : new ProtocolChange(head.UpgradeProtocol, head.TryFind("sec-websocket-key", out var key) ? key.ToString() : "");

    /// <summary>A server's 101 as a client of HTTP/2 knows it.</summary>
    public static ResponseHead ToHttp2(ResponseHead answer)
    {
        var head = new ResponseHead();
        head.Begin(200);
        CopyLines(answer, head); // HeadWriter leaves Upgrade out
        return head;
    }

    /// <summary>A server's 2xx as a client of HTTP/1.1 waits for it: it checks that its key was understood (RFC 6455 §4.2.2).</summary>
    public ResponseHead ToHttp1(ResponseHead answer)
    {
        var head = new ResponseHead();
        head.Begin(101);
        CopyLines(answer, head);
        head.AppendHeader("upgrade", Protocol);
        if (Key.Length > 0)
        {
#pragma warning disable CA5350 // The handshake is made so; nothing is kept secret by it.
            head.AppendHeader(Accept, Convert.ToBase64String(SHA1.HashData(Encoding.Latin1.GetBytes(Key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))));
#pragma warning restore CA5350
        }
        return head;
    }

    // Neither's own: the key of the other side was another, and a tunnel has no length.
    private static void CopyLines(ResponseHead from, ResponseHead to)
    {
        for (var i = 0; i < from.Count; i++)
        {
            if (!from.NameIs(i, Accept) && !from.NameIs(i, "content-length"))
            {
                to.AppendHeader(from.NameAt(i).ToString(), from.ValueAt(i));
            }
        }
    }
}
