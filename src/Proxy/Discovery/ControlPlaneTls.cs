using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Postern.Xds.Config;

namespace Postern.Proxy.Discovery;

/// <summary>TLS to a control plane: its certificate must lead to the configured CAs, and only to those; ours is shown where one is configured.</summary>
internal static class ControlPlaneTls
{
    public static SslClientAuthenticationOptions Options(UpstreamTlsConfig config)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(Encoding.ASCII.GetString(config.Validation.TrustedCa.Span));
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(roots);
        return new SslClientAuthenticationOptions
        {
            TargetHost = config.Sni,
            CertificateChainPolicy = policy,
            // Without a name to compare (sni is optional in Envoy) the chain alone decides; the name is checked wherever there is one.
            RemoteCertificateValidationCallback = config.Sni.Length > 0
                ? null
                : static (_, _, _, errors) => (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None,
            ClientCertificates = config.Certificate is { } own ? [Own(own)] : null,
        };
    }

    private static X509Certificate2 Own(TlsCertificateConfig own)
    {
        using var pem = X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(own.CertificateChain.Span), Encoding.ASCII.GetString(own.PrivateKey.Span));
        // A key made from PEM lives in memory only, which SslStream does not take on every platform.
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }
}
