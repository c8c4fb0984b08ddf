using System.Net;

namespace Postern.Filters.Http;

/// <summary>
/// A filter of the HTTP chain, called in the order of docs/phases.md. It decides and never does I/O; the engine calls it and does what it says.
/// Filters are shared by all connections of a listener: per-stream state lives in the <see cref="HttpExchange"/>.
/// A filter that does not look at bodies has nothing to implement for them and costs nothing.
/// </summary>
public interface IHttpFilter
{
    /// <summary>Phase 1, request headers, in chain order. A reply ends the request: later filters and the upstream never see it.</summary>
    LocalReply? OnRequestHeaders(HttpExchange exchange);

    /// <summary>
    /// Phase 1b, once the endpoint that the request goes to is known and connected, in chain order; again for each endpoint that is tried. A reply ends the request:
    /// the upstream sees nothing of it.
    /// </summary>
    /// <param name="exchange">The request.</param>
    /// <param name="endpoint">Address and port of the endpoint, or a Unix socket.</param>
    LocalReply? OnUpstreamSelected(HttpExchange exchange, EndPoint endpoint) => null;

    /// <summary>Phase 2, response headers (also of a local reply), in reverse order.</summary>
    void OnResponseHeaders(HttpExchange exchange);

    /// <summary>
    /// Phase 2b, in reverse order: an upstream's answer is over, or broke off. Its head and trailers are valid for the last time. Not for answers of the proxy's own.
    /// </summary>
    void OnResponseEnd(HttpExchange exchange)
    {
    }

    /// <summary>Phase 3, always once, also when the client went away.</summary>
    void OnStreamEnd(HttpExchange exchange);
}
