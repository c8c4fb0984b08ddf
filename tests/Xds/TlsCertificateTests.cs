using System;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Postern.Xds;
using Postern.Xds.Certificates;
using Postern.Xds.Config;
using Postern.Xds.Resources;
using Postern.Xds.Text;

namespace Postern.Tests.Xds;

/// <summary>Certificates and keys: the forms of PEM that are taken, and what is said of the others.</summary>
public class TlsCertificateTests
{
    private const string Password = "correct horse";

    private static string Certificate(ECDsa key) =>
        new CertificateRequest("CN=ec", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100)).ExportCertificatePem();

    private static string Certificate(RSA key) =>
        new CertificateRequest("CN=rsa", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100)).ExportCertificatePem();

    private static TlsCertificateConfig Read(string chain, string key, string? password = null) => TlsCertificates.ToConfig(
        new TlsCertificate
        {
            CertificateChain = new DataSource { InlineString = chain },
            PrivateKey = new DataSource { InlineString = key },
            Password = password is null ? null : new DataSource { InlineString = password },
        },
        "s", ConfigPath.Empty);

    private static void AssertRefused(string expected, string chain, string key, string? password = null)
    {
        var message = Assert.Throws<XdsConfigException>(() => Read(chain, key, password)).Message;
        Assert.StartsWith(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, message, StringComparison.Ordinal);
    }

    [Fact]
    public void KeyOfEveryForm_IsRead()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(2048);
        var pbe = new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);
        foreach (var (chain, key, password) in new[]
        {
            (Certificate(ec), ec.ExportPkcs8PrivateKeyPem(), null),
            (Certificate(ec), ec.ExportECPrivateKeyPem(), null),
            (Certificate(ec), "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n" + ec.ExportECPrivateKeyPem(), null),
            (Certificate(ec), ec.ExportEncryptedPkcs8PrivateKeyPem(Password, pbe), Password),
            (Certificate(rsa), rsa.ExportPkcs8PrivateKeyPem(), null),
            (Certificate(rsa), rsa.ExportRSAPrivateKeyPem(), null),
            (Certificate(rsa), rsa.ExportEncryptedPkcs8PrivateKeyPem(Password, pbe), Password),
            (Certificate(rsa), rsa.ExportPkcs8PrivateKeyPem(), Password),
        })
        {
            var config = Read(chain, key, password);
            using var pair = KeyPairs.Open(config);
            Assert.True(pair.HasPrivateKey);
            Assert.Equal("TlsCertificateConfig(s, [redacted])", config.ToString());
        }
    }

    [Fact]
    public void EncryptedKey_NeedsItsPassword()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = ec.ExportEncryptedPkcs8PrivateKeyPem(Password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));
        AssertRefused("private_key: is encrypted; write its password into password", Certificate(ec), key);
        AssertRefused("private_key: cannot be opened with this password", Certificate(ec), key, "wrong " + Password);
        AssertRefused("password: is empty", Certificate(ec), key, "");
        AssertRefused(
            "private_key: is encrypted in OpenSSL's old form", Certificate(ec),
            "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n", Password);
    }

    [Fact]
    public void KeyOfAnotherCertificate_IsRefused()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        AssertRefused("private_key: is no unencrypted PEM key of this certificate", Certificate(ec), other.ExportPkcs8PrivateKeyPem());
        AssertRefused("private_key: is no unencrypted PEM key of this certificate", Certificate(ec), rsa.ExportPkcs8PrivateKeyPem());
        AssertRefused("private_key: is no unencrypted PEM key of this certificate", Certificate(rsa), ec.ExportECPrivateKeyPem());
    }

    [Fact]
    public void WeakOrForeignKey_IsRefused()
    {
        using var weak = RSA.Create(1024);
        AssertRefused("certificate_chain: the first certificate's RSA key has 1024 bits", Certificate(weak), weak.ExportPkcs8PrivateKeyPem());
        AssertRefused("certificate_chain: the first certificate's key is of algorithm 1.3.101.112", Ed25519Certificate, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    }

    [Fact]
    public void KeyInTheChain_IsRefused()
    {
        // A chain is shown in dumps and on /certs.
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        AssertRefused("certificate_chain: holds a PEM block other than CERTIFICATE", Certificate(ec) + "\n" + ec.ExportPkcs8PrivateKeyPem(), ec.ExportPkcs8PrivateKeyPem());
    }

    [Fact]
    public void TooMuch_IsRefused()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var one = Certificate(ec) + "\n";
        AssertRefused("certificate_chain: holds more than 16 PEM blocks", string.Concat(System.Linq.Enumerable.Repeat(one, 17)), ec.ExportPkcs8PrivateKeyPem());
        AssertRefused("private_key: is longer than 65536 bytes", one, new string('x', 65537));
    }

    // openssl req -x509 -newkey ed25519 -nodes -subj /CN=ed -days 36500
    private const string Ed25519Certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBMDCB46ADAgECAhR+FP+4wHgbhAB6TOPz6+M/86efIjAFBgMrZXAwDTELMAkG
        A1UEAwwCZWQwIBcNMjYxMTIxMTYzOTQ0WhgPMjEyNjEwMjgxNjM5NDRaMA0xCzAJ
        BgNVBAMMAmVkMCowBQYDK2VwAyEAV3b8GSgHYOvVIm5WgvP85i2GYX1iHFV+i+6B
        tzI+hoOjUzBRMB0GA1UdDgQWBBTxsoZ5pJ0bPJBVW11GchkhJWXjHzAfBgNVHSME
        GDAWgBTxsoZ5pJ0bPJBVW11GchkhJWXjHzAPBgNVHRMBAf8EBTADAQH/MAUGAytl
        cANBAA4okaudnzKK1Od/9/1GXopyt9I/qX+yPRPqIh6BLSEIJlXp4XitAWwvfy6Z
        vD+xTY1HFhlG3iF8NixwktFA1Qw=
        -----END CERTIFICATE-----
        """;
}
