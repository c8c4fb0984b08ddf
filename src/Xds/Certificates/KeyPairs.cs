using System.Security.Cryptography.X509Certificates;
using System.Text;
using Postern.Xds.Config;

namespace Postern.Xds.Certificates;

/// <summary>The first certificate of a chain, with its key, in memory only.</summary>
public static class KeyPairs
{
    /// <summary>To be disposed by the caller. PKCS#8, SEC1 and PKCS#1; PKCS#8 also encrypted.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">It cannot be read, or the two do not belong together.</exception>
    public static X509Certificate2 Open(TlsCertificateConfig config)
    {
        var chain = Encoding.Latin1.GetString(config.CertificateChain.Span);
        var key = Encoding.Latin1.GetString(config.PrivateKey.Span);
        return config.Password.IsEmpty || !key.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", System.StringComparison.Ordinal)
            ? X509Certificate2.CreateFromPem(chain, key)
            : X509Certificate2.CreateFromEncryptedPem(chain, key, Encoding.UTF8.GetString(config.Password.Span));
    }
}
