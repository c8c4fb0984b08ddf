namespace Postern.Policy;

/// <summary>Which leg of the proxied connection a TLS context is for.</summary>
public enum TlsSide
{
    /// <summary>Towards the client: <c>downstream_tls_context</c>, the proxy is the server.</summary>
    Downstream,

    /// <summary>Towards the server: <c>upstream_tls_context</c>, the proxy is the client.</summary>
    Upstream,
}
