namespace Postern.Proxy.Stats;

/// <summary>What the HTTP/1 side of all listeners counts together, as Envoy's codec does.</summary>
internal sealed class Http1Stats
{
    /// <param name="scope">Where the cells stand.</param>
    public Http1Stats(StatsScope scope)
    {
        DroppedHeaders = scope.Counter("dropped_headers_with_underscores");
        RejectedRequests = scope.Counter("requests_rejected_with_underscores_in_headers");
    }

    /// <summary>Header lines taken out of requests.</summary>
    public Counter DroppedHeaders { get; }

    public Counter RejectedRequests { get; }

    /// <summary>The name of the scope.</summary>
    public static ScopeName Name { get; } = new("http1", "http1", []);
}
