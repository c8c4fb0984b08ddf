using Envoy.Config.Cluster.V3;
using Envoy.Extensions.Upstreams.Http.V3;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>typed_extension_protocol_options</c>: which HTTP a cluster is spoken to with. Times and counts in it are read over.</summary>
internal static class UpstreamProtocols
{
    private const string HttpKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>The cluster with what they say.</summary>
    public static ClusterConfig Apply(ClusterConfig config, Cluster cluster, ConfigPath path)
    {
        config = config with { Http2 = cluster.Http2ProtocolOptions is not null };
        path = path.Field("typed_extension_protocol_options");
        foreach (var (key, any) in cluster.TypedExtensionProtocolOptions)
        {
            var at = path.Key(key);
            if (key != HttpKey || TypedConfig.Unpack(any, at) is not HttpProtocolOptions options)
            {
                throw at.Error($"options of this extension are not built in; only {HttpKey} is");
            }
            config = config with
            {
                Http2 = config.Http2 || options.ExplicitHttpConfig?.Http2ProtocolOptions is not null,
                AutoSni = options.UpstreamHttpProtocolOptions?.AutoSni ?? false,
                AutoSanValidation = options.UpstreamHttpProtocolOptions?.AutoSanValidation ?? false,
            };
        }
        return config;
    }
}
