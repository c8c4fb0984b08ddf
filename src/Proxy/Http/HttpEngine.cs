using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Proxy.Http2;
using Postern.Xds.Config;

namespace Postern.Proxy.Http;

/// <summary>Serves client connections that speak HTTP, of whatever version.</summary>
internal sealed class HttpEngine(ILoggerFactory loggers)
{
    private readonly RequestPath path = new(loggers.CreateLogger("postern.http"));

    /// <summary>Makes the connection and tells its registry; <see cref="RunAsync"/> must follow.</summary>
    public HttpConnection Begin(HttpConnectionParts parts)
    {
        parts.Listener.Stats.OnConnection();
        HttpConnection connection = BeginsWithHttp2(parts) ? new Http2Connection(parts, path.ServeAsync) : new Http1Connection(parts, path);
        parts.Registry.Add(connection);
        return connection;
    }

    /// <summary>The connection's life; at its end nothing of it is left but its place among the admitted.</summary>
    public async Task RunAsync(HttpConnection connection, HttpConnectionParts parts)
    {
        try
        {
            await connection.RunAsync().ConfigureAwait(false);
            if (connection is Http1Connection { FoundHttp2: true } first)
            {
                var second = new Http2Connection(parts with { First = first.TakeInput(), Upgrade = first.Upgrade }, path.ServeAsync);
                parts.Registry.Add(second);
                parts.Registry.Remove(first); // only now: whoever drains or reviews must find the one or the other
                connection = second;
                await second.RunAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            parts.Registry.Remove(connection);
            parts.Listener.Stats.OnConnectionEnd();
        }
    }

    // By ALPN it is settled; else the first bytes say, which HTTP/1 looks at.
    private static bool BeginsWithHttp2(HttpConnectionParts parts) =>
        parts.Listener.Codec == CodecType.Http2 || (parts.Listener.Codec == CodecType.Auto && parts.Channel.ApplicationProtocol == "h2");
}
