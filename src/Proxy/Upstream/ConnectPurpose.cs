namespace Postern.Proxy.Upstream;

/// <summary>What an upstream connection is for, as far as TLS asks.</summary>
/// <param name="Alpn">The protocol to offer, where the cluster speaks what the client spoke ("h2", "http/1.1"); empty for the configured list.</param>
/// <param name="Authority">Host of the request, with or without a port, for clusters with <c>auto_sni</c>; empty for none.</param>
internal sealed record ConnectPurpose(string Alpn = "", string Authority = "")
{
    /// <summary>Bytes of any protocol.</summary>
    public static readonly ConnectPurpose Opaque = new();
}
