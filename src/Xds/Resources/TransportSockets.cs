using Cilium;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.RawBuffer.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.core.v3.TransportSocket</c>: bytes as they are, TLS, or <c>cilium.tls_wrapper</c>, which leaves the choice to policy.</summary>
internal static class TransportSockets
{
    /// <summary>The filter chain with its transport socket.</summary>
    public static FilterChainConfig Apply(FilterChainConfig chain, TransportSocket? socket, ConfigPath path) => Unpack(socket, ref path) switch
    {
        null or RawBuffer => chain,
        DownstreamTlsWrapperContext => chain with { TlsByPolicy = true },
        DownstreamTlsContext context => chain with { Tls = TlsContexts.ToConfig(context, path) },
        var other => throw TypedConfig.Misplaced(other, "a transport socket of a filter chain", path),
    };

    /// <summary>The cluster with its transport socket.</summary>
    public static ClusterConfig Apply(ClusterConfig cluster, TransportSocket? socket, ConfigPath path) => Unpack(socket, ref path) switch
    {
        null or RawBuffer => cluster,
        UpstreamTlsWrapperContext => cluster with { TlsByPolicy = true },
        UpstreamTlsContext context => cluster with { Tls = TlsContexts.ToConfig(context, path) },
        var other => throw TypedConfig.Misplaced(other, "a transport socket of a cluster", path),
    };

    private static IMessage? Unpack(TransportSocket? socket, ref ConfigPath path)
    {
        if (socket is null)
        {
            return null;
        }
        TypedConfig.Required(socket.Name, path.Field("name"));
        path = path.Field("typed_config");
        return TypedConfig.Unpack(socket.TypedConfig, path);
    }
}
