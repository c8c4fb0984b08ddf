using Envoy.Config.Cluster.V3;
using Envoy.Extensions.Upstreams.Http.V3;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>typed_extension_protocol_options</c>: which HTTP a cluster is spoken to with. Times and counts in it are read over.</summary>
internal static class UpstreamProtocols
{
    private const string HttpKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>Whether HTTP/2 is written explicitly.</summary>
    public static bool IsHttp2(Cluster cluster, ConfigPath path)
    {
        var http2 = cluster.Http2ProtocolOptions is not null;
        path = path.Field("typed_extension_protocol_options");
        foreach (var (key, any) in cluster.TypedExtensionProtocolOptions)
        {
            var at = path.Key(key);
            if (key != HttpKey || TypedConfig.Unpack(any, at) is not HttpProtocolOptions options)
            {
                throw at.Error($"options of this extension are not built in; only {HttpKey} is");
            }
            if (options.UpstreamHttpProtocolOptions is { } upstream && (upstream.AutoSni || upstream.AutoSanValidation))
            {
                throw at.Field("upstream_http_protocol_options").Error("auto_sni and auto_san_validation belong to TLS to upstreams, which is not built in yet; remove them");
            }
            http2 |= options.ExplicitHttpConfig?.Http2ProtocolOptions is not null;
        }
        return http2;
    }
}
