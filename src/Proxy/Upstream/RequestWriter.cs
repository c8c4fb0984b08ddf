using System;
using System.Buffers;
using System.Text;
using Postern.Proxy.Http1;
using Postern.Records;

namespace Postern.Proxy.Upstream;

/// <summary>Writes a request head: the same target, the same lines in the same order with the same case; hop-by-hop lines were taken out before.</summary>
internal static class RequestWriter
{
    /// <summary>Fills <paramref name="buffer"/>, growing it as needed; returns the length.</summary>
    public static int Write(RequestHead head, ref byte[] buffer)
    {
        var target = head.UpstreamTarget is { } rewritten ? rewritten : head.Target;
        var needed = head.Method.Length + target.Length + 16;
        for (var i = 0; i < head.Count; i++)
        {
            needed += head.NameAt(i).Length + head.ValueAt(i).Length + 4;
        }
        if (buffer.Length < needed)
        {
            if (buffer.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
            buffer = ArrayPool<byte>.Shared.Rent(Math.Max(needed, 1024));
        }
        var at = 0;
        Append(buffer, ref at, head.Method);
        buffer[at++] = (byte)' ';
        Append(buffer, ref at, target);
        Append(buffer, ref at, head.Version == HttpProtocol.Http11 ? " HTTP/1.1\r\n"u8 : " HTTP/1.0\r\n"u8);
        for (var i = 0; i < head.Count; i++)
        {
            Append(buffer, ref at, head.NameAt(i));
            Append(buffer, ref at, ": "u8);
            Append(buffer, ref at, head.ValueAt(i));
            Append(buffer, ref at, "\r\n"u8);
        }
        Append(buffer, ref at, "\r\n"u8);
        return at;
    }

    private static void Append(byte[] buffer, ref int at, ReadOnlySpan<char> text) => at += Encoding.Latin1.GetBytes(text, buffer.AsSpan(at));

    private static void Append(byte[] buffer, ref int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(buffer.AsSpan(at));
        at += bytes.Length;
    }
}
