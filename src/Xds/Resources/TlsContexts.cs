using System.Collections.Generic;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.Collections;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>DownstreamTlsContext</c> and <c>UpstreamTlsContext</c>. What .NET cannot honour is refused by name (docs/tls.md).</summary>
internal static class TlsContexts
{
    private const int MaxCertificates = 16;
    private const string TicketKeys = "tickets are sealed with keys that .NET makes and keeps to itself; remove it, clients of another process make a full handshake";

    /// <summary>Of a server.</summary>
    public static DownstreamTlsConfig ToConfig(DownstreamTlsContext context, ConfigPath path)
    {
        var common = Common(context.CommonTlsContext ?? new CommonTlsContext(), path.Field("common_tls_context"));
        if (common.Certificates.Count + common.CertificateSecrets.Count == 0)
        {
            throw path.Field("common_tls_context").Error("has no certificate; write tls_certificates or tls_certificate_sds_secret_configs");
        }
        var require = context.RequireClientCertificate == true;
        if (require && common.Validation is null && common.ValidationSecret is null)
        {
            throw path.Field("require_client_certificate").Error("needs a validation_context with trusted_ca; without it every certificate would be trusted");
        }
        switch (context.SessionTicketKeysTypeCase)
        {
            case DownstreamTlsContext.SessionTicketKeysTypeOneofCase.SessionTicketKeys:
                throw path.Field("session_ticket_keys").Error(TicketKeys);
            case DownstreamTlsContext.SessionTicketKeysTypeOneofCase.SessionTicketKeysSdsSecretConfig:
                throw path.Field("session_ticket_keys_sds_secret_config").Error(TicketKeys);
        }
        if (context.OcspStaplePolicy != DownstreamTlsContext.Types.OcspStaplePolicy.LenientStapling)
        {
            throw path.Field("ocsp_staple_policy").Error("OCSP responses are not stapled; write LENIENT_STAPLING, or leave it out");
        }
        if (context.PreferClientCiphers)
        {
            throw path.Field("prefer_client_ciphers").Error("the server's order decides in .NET; remove it");
        }
        return new DownstreamTlsConfig(
            common, require, context.RequireSni == true, !context.DisableStatelessSessionResumption && !context.DisableStatefulSessionResumption);
    }

    /// <summary>Of a client.</summary>
    public static UpstreamTlsConfig ToConfig(UpstreamTlsContext context, ConfigPath path)
    {
        var commonPath = path.Field("common_tls_context");
        var common = Common(context.CommonTlsContext ?? new CommonTlsContext(), commonPath);
        if (common.Certificates.Count > 1)
        {
            throw commonPath.Field("tls_certificates").Error("has more than one certificate; keep one");
        }
        if (common.CertificateSecrets.Count > 1)
        {
            throw commonPath.Field("tls_certificate_sds_secret_configs").Error("has more than one certificate; keep one");
        }
        if (common.Validation is null && common.ValidationSecret is null)
        {
            throw commonPath.Field("validation_context").Error("is missing; without trusted_ca every server would be trusted");
        }
        if (context.Sni.Length > 255)
        {
            throw path.Field("sni").Error($"{context.Sni.Length} characters are more than 255");
        }
        if (context.AllowRenegotiation)
        {
            throw path.Field("allow_renegotiation").Error("renegotiation is not allowed: what was checked could change under an open connection; remove it");
        }
        if (context.AutoHostSni)
        {
            throw path.Field("auto_host_sni").Error("endpoints have addresses only, no host names; write sni");
        }
        return new UpstreamTlsConfig(common, context.Sni, context.AutoSniSanValidation, context.MaxSessionKeys != 0);
    }

    private static CommonTlsConfig Common(CommonTlsContext context, ConfigPath path)
    {
        CheckCount(context.TlsCertificates, path.Field("tls_certificates"));
        CheckCount(context.TlsCertificateSdsSecretConfigs, path.Field("tls_certificate_sds_secret_configs"));
        if (context.TlsCertificates.Count > 0 && context.TlsCertificateSdsSecretConfigs.Count > 0)
        {
            throw path.Field("tls_certificate_sds_secret_configs").Error("stands beside tls_certificates; keep one of them");
        }
        var parameters = path.Field("tls_params");
        var config = new CommonTlsConfig
        {
            Versions = TlsParameterRules.Versions(context.TlsParams, parameters),
            CipherSuites = TlsParameterRules.CipherSuites(context.TlsParams, parameters),
            Certificates = context.TlsCertificates.Map(path.Field("tls_certificates"), static (item, at) => TlsCertificates.ToConfig(item, "", at)),
            CertificateSecrets = context.TlsCertificateSdsSecretConfigs.Map(path.Field("tls_certificate_sds_secret_configs"), Reference),
            AlpnProtocols = Alpn(context.AlpnProtocols, path.Field("alpn_protocols")),
        };
        switch (context.ValidationContextTypeCase)
        {
            case CommonTlsContext.ValidationContextTypeOneofCase.ValidationContext:
                return config with { Validation = ValidationContexts.ToConfig(context.ValidationContext, "", path.Field("validation_context")) };
            case CommonTlsContext.ValidationContextTypeOneofCase.ValidationContextSdsSecretConfig:
                return config with { ValidationSecret = Reference(context.ValidationContextSdsSecretConfig, path.Field("validation_context_sds_secret_config")) };
            case CommonTlsContext.ValidationContextTypeOneofCase.CombinedValidationContext:
                var combined = context.CombinedValidationContext;
                path = path.Field("combined_validation_context");
                var fallback = path.Field("default_validation_context");
                var secret = path.Field("validation_context_sds_secret_config");
                return config with
                {
                    Validation = ValidationContexts.ToDefault(combined.DefaultValidationContext ?? throw fallback.Error("is missing; use validation_context_sds_secret_config alone"), fallback),
                    ValidationSecret = Reference(combined.ValidationContextSdsSecretConfig ?? throw secret.Error("is missing; use validation_context alone"), secret),
                };
            default:
                return config;
        }
    }

    private static SecretReferenceConfig Reference(SdsSecretConfig reference, ConfigPath path) => new(
        TypedConfig.Required(reference.Name, path.Field("name")),
        reference.SdsConfig is null ? null : ConfigSources.ToConfig(reference.SdsConfig, path.Field("sds_config")));

    /// <summary>Envoy joins the items with commas and parses the whole, so that one item "h2,http/1.1" means both; Cilium writes it that way.</summary>
    public static EquatableList<string> Alpn(IReadOnlyList<string> items, ConfigPath path)
    {
        const int MaxProtocols = 32;
        var all = new List<string>();
        for (var i = 0; i < items.Count; i++)
        {
            foreach (var protocol in items[i].Split(','))
            {
                var at = path.Item(i);
                if (protocol.Length is 0 or > 255)
                {
                    throw at.Error("a protocol's name has 1 to 255 characters; separate two by one comma");
                }
                foreach (var c in protocol)
                {
                    if (c is <= ' ' or > '~')
                    {
                        throw at.Error("a protocol's name holds a character other than visible ASCII; leave no space beside a comma");
                    }
                }
                if (all.Count == MaxProtocols)
                {
                    throw at.Error($"more than {MaxProtocols} protocols");
                }
                all.Add(protocol);
            }
        }
        return all.ToEquatableList();
    }

    private static void CheckCount<T>(RepeatedField<T> items, ConfigPath path)
    {
        if (items.Count > MaxCertificates)
        {
            throw path.Error($"has {items.Count} certificates, more than {MaxCertificates}");
        }
    }
}
