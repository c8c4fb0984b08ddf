using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace Postern.Proxy.Http;

/// <summary>Answers to what is not a request: written straight to the connection, which closes.</summary>
internal static class RawReply
{
    private static readonly ConcurrentDictionary<int, byte[]> Cache = new();

    /// <summary>The bytes for a status.</summary>
    public static byte[] Of(int status) => Cache.GetOrAdd(status, static s =>
    {
        var reason = ReasonPhrases.GetReasonPhrase(s);
        return Encoding.ASCII.GetBytes($"HTTP/1.1 {s} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {reason.Length + 2}\r\nConnection: close\r\n\r\n{reason}\r\n");
    });
}
