using System.Threading.Tasks;
using Microsoft.Extensions.Logging;

namespace Postern.Proxy.Http;

/// <summary>Serves client connections that speak HTTP, of whatever version.</summary>
internal sealed class HttpEngine(ILoggerFactory loggers)
{
    private readonly RequestPath path = new(loggers.CreateLogger("postern.http"));

    /// <summary>Makes the connection and tells its registry; <see cref="RunAsync"/> must follow.</summary>
    public HttpConnection Begin(HttpConnectionParts parts)
    {
        parts.Listener.Stats.OnConnection();
        var connection = new Http1Connection(parts, path);
        parts.Registry.Add(connection);
        return connection;
    }

    /// <summary>The connection's life; at its end nothing of it is left but its place among the admitted.</summary>
    public static async Task RunAsync(HttpConnection connection, HttpConnectionParts parts)
    {
        try
        {
            await connection.RunAsync().ConfigureAwait(false);
        }
        finally
        {
            parts.Registry.Remove(connection);
            parts.Listener.Stats.OnConnectionEnd();
        }
    }
}
