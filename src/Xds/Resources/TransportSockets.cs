using Cilium;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.RawBuffer.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Postern.Policy.Config;
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
        if (Unpack(socket, ref path) is { } message and not (RawBuffer or DownstreamTlsWrapperContext))
        {
            throw TypedConfig.Misplaced(message, "a transport socket of a filter chain", path);
        }
    }

    /// <summary>Of a cluster; null when bytes go out as they are.</summary>
    public static UpstreamTlsConfig? ToUpstream(TransportSocket? socket, ConfigPath path) => Unpack(socket, ref path) switch
    {
        null or RawBuffer or UpstreamTlsWrapperContext => null,
        UpstreamTlsContext context => ToConfig(context, path),
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

    private static UpstreamTlsConfig ToConfig(UpstreamTlsContext context, ConfigPath path)
    {
        var common = context.CommonTlsContext ?? new CommonTlsContext();
        var commonPath = path.Field("common_tls_context");
        if (common.TlsCertificates.Count > 1)
        {
            throw commonPath.Field("tls_certificates").Error("has more than one certificate; keep one");
        }
        if (context.Sni.Length > 255)
        {
            throw path.Field("sni").Error($"{context.Sni.Length} characters are more than 255");
        }
        var validation = commonPath.Field("validation_context");
        return new UpstreamTlsConfig(
            context.Sni,
            common.AlpnProtocols.Map(commonPath.Field("alpn_protocols"), TypedConfig.Required),
            common.TlsCertificates.Count == 0 ? null : Secrets.Certificate(common.TlsCertificates[0], "", commonPath.Field("tls_certificates").Item(0)),
            Secrets.Validation(
                common.ValidationContext ?? throw validation.Error("is missing; without trusted_ca every server would be trusted"), "", validation));
    }
}
