using System;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Postern.Filters.Http;
using Postern.Policy;
using Postern.Proxy.Http1;

namespace Postern.Proxy.Http;

/// <summary>Header lines of an answer the proxy makes itself; equal bodies share one.</summary>
internal sealed class LocalReplyHeaders : IHttpHeaders
{
    private const int MaxCached = 64; // bodies come from configuration, so there are few
    private static readonly ConcurrentDictionary<string, LocalReplyHeaders> Cache = new();

    private readonly (string Name, string Value)[] lines;
    private readonly byte[] body;

    private LocalReplyHeaders(string body, string? location)
    {
        this.body = Encoding.UTF8.GetBytes(body);
        (string, string)[] told = location is null ? [] : [("Location", location)];
        lines = body.Length == 0
            ? [.. told, ("Content-Length", "0")]
            : [.. told, ("Content-Length", this.body.Length.ToString(CultureInfo.InvariantCulture)), ("Content-Type", "text/plain")];
    }

    public int Count => lines.Length;

    /// <summary>The headers for a reply.</summary>
    public static LocalReplyHeaders Of(LocalReply reply)
    {
        if (reply.Location is not null)
        {
            return new LocalReplyHeaders(reply.Body, reply.Location); // the client's own words: nothing to share
        }
        if (Cache.TryGetValue(reply.Body, out var found))
        {
            return found;
        }
        var made = new LocalReplyHeaders(reply.Body, null);
        if (Cache.Count < MaxCached)
        {
            Cache.TryAdd(reply.Body, made);
        }
        return made;
    }

    /// <summary>The body's bytes.</summary>
    public static ReadOnlyMemory<byte> BodyOf(LocalReply reply) => Of(reply).body;

    /// <summary>Fills a head.</summary>
    public static void Write(LocalReply reply, ResponseHead head)
    {
        var headers = Of(reply);
        head.Begin(reply.Status);
        head.ContentLength = headers.body.Length;
        foreach (var (name, value) in headers.lines)
        {
            head.AppendHeader(name, value);
        }
    }

    public ReadOnlySpan<char> NameAt(int index) => lines[index].Name;

    public ReadOnlySpan<char> ValueAt(int index) => lines[index].Value;
}
