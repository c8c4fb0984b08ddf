using System;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Resources;
using Postern.Xds.Text;

namespace Postern.Xds;

/// <summary>
/// What a TLS context of a policy rule (<c>cilium.TLSContext</c>) comes to in Envoy's terms. Names win over what stands inline; whom to trust on the client's
/// side means that a client has to show a certificate.
/// </summary>
public static class PolicyTls
{
    /// <summary>Towards the client.</summary>
    /// <param name="context">Of the rule.</param>
    /// <param name="reference">How a secret of that name is found.</param>
    /// <exception cref="PolicyConfigException">What stands inline cannot be used.</exception>
    public static DownstreamTlsConfig ToDownstream(TlsContextConfig context, Func<string, SecretReferenceConfig> reference)
    {
        var common = Common(context, reference, "downstream_tls_context");
        return new DownstreamTlsConfig(
            common, RequireClientCertificate: common.Validation is not null || common.ValidationSecret is not null, RequireSni: false, AllowResumption: true);
    }

    /// <summary>Towards the server.</summary>
    /// <inheritdoc cref="ToDownstream"/>
    public static UpstreamTlsConfig ToUpstream(TlsContextConfig context, Func<string, SecretReferenceConfig> reference) =>
        new(Common(context, reference, "upstream_tls_context"), context.ServerNames.Count > 0 ? context.ServerNames[0] : "");

    private static CommonTlsConfig Common(TlsContextConfig context, Func<string, SecretReferenceConfig> reference, string field)
    {
        var path = ConfigPath.Empty.Field(field);
        try
        {
            var config = new CommonTlsConfig { AlpnProtocols = TlsContexts.Alpn(context.AlpnProtocols, path.Field("alpn_protocols")) };
            if (context.TlsSdsSecret.Length > 0)
            {
                config = config with { CertificateSecrets = [reference(context.TlsSdsSecret)] };
            }
            else if (context.CertificateChain.Length > 0)
            {
                config = config with { Certificates = [TlsCertificates.ToConfig(Certificate(context), "", path)] };
            }
            if (context.ValidationContextSdsSecret.Length > 0)
            {
                return config with { ValidationSecret = reference(context.ValidationContextSdsSecret) };
            }
            return context.TrustedCa.Length == 0 ? config : config with
            {
                Validation = ValidationContexts.ToConfig(new CertificateValidationContext { TrustedCa = new() { InlineString = context.TrustedCa } }, "", path),
            };
        }
        catch (XdsConfigException e)
        {
            throw new PolicyConfigException($"{e.Path}: {e.Reason}");
        }
    }

    private static TlsCertificate Certificate(TlsContextConfig context) => new()
    {
        CertificateChain = new() { InlineString = context.CertificateChain },
        PrivateKey = new() { InlineString = context.PrivateKey },
    };
}
