using System;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Postern.Tests.Grpc.Fixture;

/// <summary>A certificate authority and one certificate for localhost that serves both sides.</summary>
internal sealed class Certificates : IDisposable
{
    public Certificates()
    {
        using var caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var caRequest = new CertificateRequest("CN=test authority", caKey, HashAlgorithmName.SHA256);
        caRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        caRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        var from = DateTimeOffset.UtcNow.AddHours(-1);
        Authority = caRequest.CreateSelfSigned(from, from.AddDays(2));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(Authority, from, from.AddDays(1), [1, 2, 3, 4]);
        using var withKey = signed.CopyWithPrivateKey(key);
        Own = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
        Folder = Directory.CreateTempSubdirectory("postern-grpc-tls-").FullName;
        File.WriteAllText(Path.Combine(Folder, "ca.pem"), Authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(Folder, "cert.pem"), Own.ExportCertificatePem());
        File.WriteAllText(Path.Combine(Folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
    }

    public X509Certificate2 Authority { get; }

    public X509Certificate2 Own { get; }

    /// <summary>Holds ca.pem, cert.pem and key.pem.</summary>
    public string Folder { get; }

    public SslServerAuthenticationOptions Server => new()
    {
        ServerCertificate = Own,
        ClientCertificateRequired = true,
        CertificateChainPolicy = Policy(),
    };

    public SslClientAuthenticationOptions Client(bool withCertificate = true) => new()
    {
        TargetHost = "localhost",
        ClientCertificates = withCertificate ? [Own] : null,
        CertificateChainPolicy = Policy(),
    };

    public void Dispose()
    {
        Authority.Dispose();
        Own.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private X509ChainPolicy Policy() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { Authority },
        RevocationMode = X509RevocationMode.NoCheck,
    };
}
