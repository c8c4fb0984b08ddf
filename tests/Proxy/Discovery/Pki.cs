using System;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Discovery;

/// <summary>An authority, a server <c>control-plane.test</c> and a client, made anew.</summary>
internal sealed class Pki : IDisposable
{
    private readonly X509Certificate2 _authority;

    public Pki()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var server = Issue("control-plane.test");
        Server = X509CertificateLoader.LoadPkcs12(server.Export(X509ContentType.Pkcs12), null);
        using var client = Issue("node.test");
        Client = new TlsCertificateConfig("", ByteString.CopyFromUtf8(client.ExportCertificatePem()), ByteString.CopyFromUtf8(client.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()));
    }

    public ByteString Authority => ByteString.CopyFromUtf8(_authority.ExportCertificatePem());

    public X509Certificate2 Server { get; }

    public TlsCertificateConfig Client { get; }

    public bool Issued(X509Certificate certificate) => certificate.Issuer == _authority.Subject;

    public void Dispose()
    {
        _authority.Dispose();
        Server.Dispose();
    }

    private X509Certificate2 Issue(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Parse("192.0.2.1"));
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_authority, _authority.NotBefore.AddMinutes(1), _authority.NotAfter.AddMinutes(-1), RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }
}
