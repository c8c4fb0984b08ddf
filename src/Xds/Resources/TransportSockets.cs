using Cilium;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.RawBuffer.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>
/// <c>envoy.config.core.v3.TransportSocket</c>. <c>cilium.tls_wrapper</c> passes bytes as they are unless a policy rule carries a TLS context,
/// and such a rule refuses its connections: so it is accepted and does nothing.
/// </summary>
internal static class TransportSockets
{
    /// <summary>Of a filter chain.</summary>
    public static void CheckDownstream(TransportSocket? socket, ConfigPath path)
    {
        switch (Unpack(socket, ref path))
        {
            case null or RawBuffer or DownstreamTlsWrapperContext:
                break;
            case DownstreamTlsContext:
                throw path.Field("@type").Error(
                    $"{DownstreamTlsContext.Descriptor.FullName}: TLS termination is not built in yet; pass TLS through with a tcp_proxy chain that matches transport_protocol: tls");
            case { } other:
                throw TypedConfig.Misplaced(other, "a transport socket of a filter chain", path);
        }
    }

    /// <summary>Of a cluster; null when bytes go out as they are.</summary>
    public static UpstreamTlsConfig? ToUpstream(TransportSocket? socket, ConfigPath path) => Unpack(socket, ref path) switch
    {
        null or RawBuffer or UpstreamTlsWrapperContext => null,
        UpstreamTlsContext context => TlsContexts.ToConfig(context, path),
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
