using System.Text;
using Postern.Filters.Network.Bytes;

namespace Postern.Filters.Network.WebSocket;

/// <summary>Writes the heads of handshakes; names in lower case and in Cilium's order.</summary>
internal static class HandshakeText
{
    /// <summary>Writes the first line and all of the head.</summary>
    public static void Write(string firstLine, HandshakeHead head, IByteOutput output)
    {
        var text = new StringBuilder(512).Append(firstLine).Append("\r\n");
        if (head.Authority.Length > 0)
        {
            text.Append("host: ").Append(head.Authority).Append("\r\n");
        }
        for (var i = 0; i < head.Count; i++)
        {
            text.Append(head.NameAt(i)).Append(": ").Append(head.ValueAt(i)).Append("\r\n");
        }
        output.Write(Encoding.Latin1.GetBytes(text.Append("\r\n").ToString()));
    }
}
