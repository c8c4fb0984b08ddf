using Postern.Proxy.Http1;
using Postern.Records;
using Postern.Xds.Config;

namespace Postern.Proxy.Upstream;

/// <summary>What an upstream connection is for: connections of one purpose can stand in for one another.</summary>
/// <param name="Alpn">What is offered over TLS, in order, separated by commas; empty for the configured list. Over plain bytes the first is spoken.</param>
/// <param name="Authority">Host of the request, with or without a port, for clusters with <c>auto_sni</c>; empty for none.</param>
internal sealed record ConnectPurpose(string Alpn = "", string Authority = "")
{
    /// <summary>Bytes of any protocol, and HTTP/1 where nothing is offered.</summary>
    public static readonly ConnectPurpose Opaque = new();

    private static readonly ConnectPurpose Http1 = new("http/1.1");
    private static readonly ConnectPurpose Http2 = new("h2");
    private static readonly ConnectPurpose Either = new("h2,http/1.1"); // a server that knows only the older one gets that

    /// <summary>HTTP/2 is spoken where ALPN settles nothing.</summary>
    public bool PrefersHttp2 => Alpn.StartsWith("h2", System.StringComparison.Ordinal);

    /// <summary>For a request to this cluster.</summary>
    /// <param name="cluster">Where it goes.</param>
    /// <param name="head">Its head.</param>
    /// <param name="sawHttp1">The client's HTTP/2 is by upgrade from HTTP/1.1: what was known of the server then counts.</param>
    public static ConnectPurpose Of(ClusterConfig cluster, RequestHead head, bool sawHttp1 = false)
    {
        var isTls = cluster.Tls is not null || cluster.TlsByPolicy;
        var purpose = cluster.HttpProtocol switch
        {
            ClusterHttpProtocol.Http2 => Http2,
            ClusterHttpProtocol.Downstream when head.Version == HttpProtocol.Http2 && !sawHttp1 => isTls ? Either : Http2,
            ClusterHttpProtocol.Auto when isTls => Either,
            ClusterHttpProtocol.Downstream when isTls => Http1,
            _ => Opaque,
        };
        // The server of a TLS connection was checked for one host: another host's requests do not go there.
        return cluster is { AutoSni: true } or { AutoSanValidation: true } ? purpose with { Authority = head.Authority.ToString() } : purpose;
    }
}
