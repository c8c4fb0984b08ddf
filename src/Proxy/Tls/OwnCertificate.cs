using System;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Postern.Xds.Certificates;
using Postern.Xds.Config;

namespace Postern.Proxy.Tls;

/// <summary>A chain and its key, ready to be shown. Made once per version of the secret: making it builds a chain, and resumption hangs on the object.</summary>
internal static class OwnCertificate
{
    /// <summary>Null with a problem where it cannot be used. Fetches nothing: neither intermediates nor OCSP responses.</summary>
    /// <param name="config">PEM.</param>
    /// <param name="authorities">CAs that a server names to its clients; null names none.</param>
    /// <param name="problem">Set where null is returned.</param>
    public static SslStreamCertificateContext? TryOpen(TlsCertificateConfig config, X509Certificate2Collection? authorities, out TlsProblem? problem)
    {
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(Encoding.Latin1.GetString(config.CertificateChain.Span));
            chain.RemoveAt(0); // the leaf, which comes with its key
            problem = null;
            return SslStreamCertificateContext.Create(
                KeyPairs.Open(config), chain, offline: true,
                authorities is null ? null : SslCertificateTrust.CreateForX509Collection(authorities, sendTrustInHandshake: true));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or NotSupportedException)
        {
            problem = new TlsProblem(config.Name, "tls_certificate", "the key cannot be opened, or is not that of the first certificate");
            return null;
        }
    }
}
