namespace Postern.Xds.Config;

/// <summary><c>envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext</c>.</summary>
/// <param name="Common"><c>common_tls_context</c>; has a certificate, or the name of one.</param>
/// <param name="RequireClientCertificate">Whether a client without one is refused; then <paramref name="Common"/> says whom to trust.</param>
/// <param name="RequireSni"><c>require_sni</c>.</param>
/// <param name="AllowResumption">False where <c>disable_stateless_session_resumption</c> or <c>disable_stateful_session_resumption</c> stands: the two cannot be told apart.</param>
public sealed record DownstreamTlsConfig(CommonTlsConfig Common, bool RequireClientCertificate, bool RequireSni, bool AllowResumption);
