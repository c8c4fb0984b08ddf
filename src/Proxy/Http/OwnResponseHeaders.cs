using System.Collections.Generic;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Postern.Xds.Config;

namespace Postern.Proxy.Http;

/// <summary>
/// What the connection manager adds to every answer of its listener, the proxy's own too. After the filters, as in Envoy: records show the
/// answer as its maker sent it.
/// </summary>
internal static class OwnResponseHeaders
{
    /// <summary>Adds what is configured; mostly nothing.</summary>
    public static void Add(KestrelConnection connection, IHeaderDictionary headers)
    {
        var listener = connection.Listener;
        if (listener.RequestIds.Answers && connection.Framer.Head.TryFind(RequestIds.Header, out var id))
        {
            headers[RequestIds.Header] = id.ToString();
        }
        var server = listener.Server;
        if (server.Action == ServerHeaderAction.Overwrite || (server.Action == ServerHeaderAction.AppendIfAbsent && StringValues.IsNullOrEmpty(headers.Server)))
        {
            headers.Server = server.Name;
        }
        if (listener.Via.Length > 0)
        {
            var before = headers.Via;
            headers.Via = StringValues.IsNullOrEmpty(before) ? listener.Via : string.Join(", ", (IEnumerable<string?>)[.. before.ToArray(), listener.Via]);
        }
    }
}

/// <summary>What a connection manager does about <c>server</c>.</summary>
/// <param name="Action"><c>server_header_transformation</c>.</param>
/// <param name="Name"><c>server_name</c>.</param>
internal readonly record struct ServerHeader(ServerHeaderAction Action, string Name);
