namespace Postern.Xds.Config;

/// <summary><c>envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext</c>.</summary>
/// <param name="Common"><c>common_tls_context</c>; says whom to trust.</param>
/// <param name="Sni"><c>sni</c>, or empty.</param>
/// <param name="CheckSni"><c>auto_sni_san_validation</c>: the server's certificate must be for the name sent, beside what the validation context asks.</param>
/// <param name="AllowResumption">False where <c>max_session_keys</c> is 0.</param>
public sealed record UpstreamTlsConfig(CommonTlsConfig Common, string Sni, bool CheckSni = false, bool AllowResumption = true);
