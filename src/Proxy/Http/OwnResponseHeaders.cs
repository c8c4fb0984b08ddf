using Postern.Proxy.Http1;
using Postern.Xds.Config;

namespace Postern.Proxy.Http;

/// <summary>
/// What the connection manager adds to every answer of its listener, the proxy's own too. After the filters, as in Envoy: records show the
/// answer as its maker sent it.
/// </summary>
internal static class OwnResponseHeaders
{
    /// <summary>Adds what is configured; mostly nothing.</summary>
    public static void Add(ClientStream stream, ResponseHead head)
    {
        var listener = stream.Connection.Listener;
        if (listener.RequestIds.Answers && stream.Head.TryFind(RequestIds.Header, out var id))
        {
            head.SetHeader(RequestIds.Header, id);
        }
        var server = listener.Server;
        if (server.Action == ServerHeaderAction.Overwrite || (server.Action == ServerHeaderAction.AppendIfAbsent && !head.TryFind("server", out _)))
        {
            head.SetHeader("Server", server.Name);
        }
        if (listener.Via.Length > 0)
        {
            head.AppendToList("via", listener.Via);
        }
    }
}

/// <summary>What a connection manager does about <c>server</c>.</summary>
/// <param name="Action"><c>server_header_transformation</c>.</param>
/// <param name="Name"><c>server_name</c>.</param>
internal readonly record struct ServerHeader(ServerHeaderAction Action, string Name);
