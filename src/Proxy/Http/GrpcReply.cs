using System;
using System.Globalization;
using System.Text;
using Postern.Filters.Http;
using Postern.Proxy.Errors;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Http;

/// <summary>
/// The proxy's own answer to a gRPC call: trailers-only, so status 200 and all that counts in the head (the gRPC protocol over HTTP/2, "Responses"). The message is the
/// text that another client would find in the body.
/// </summary>
internal static class GrpcReply
{
    /// <summary>Fills the head.</summary>
    public static void Write(LocalReply reply, ResponseHead head)
    {
        head.Begin(200);
        head.EndsWithHead = true;
        head.AppendHeader("content-type", "application/grpc");
        head.AppendHeader("grpc-status", StatusOf(reply).ToString(CultureInfo.InvariantCulture));
        var message = reply.Body.AsSpan().TrimEnd("\r\n");
        if (message.Length > 0)
        {
            head.AppendHeader("grpc-message", Encode(message));
        }
    }

    // The table of errors knows best; for others the mapping that clients use for HTTP statuses ("HTTP to gRPC Status Code Mapping").
    private static int StatusOf(LocalReply reply)
    {
        if (ErrorTable.TryFind(reply.Reason) is { } entry)
        {
            return entry.GrpcStatus;
        }
        return reply.Status switch
        {
            400 => 13,
            401 => 16,
            403 => 7,
            404 => 12,
            429 or 502 or 503 or 504 => 14,
            _ => 2,
        };
    }

    // Percent-encoding of everything but printable ASCII, and of the percent sign.
    private static string Encode(ReadOnlySpan<char> message)
    {
        if (!message.ContainsAnyExceptInRange(' ', '~') && !message.Contains('%'))
        {
            return message.ToString();
        }
        var bytes = Encoding.UTF8.GetBytes(message.ToString());
        var text = new StringBuilder(bytes.Length * 2);
        foreach (var b in bytes)
        {
            _ = b is >= (byte)' ' and <= (byte)'~' and not (byte)'%' ? text.Append((char)b) : text.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }
}
