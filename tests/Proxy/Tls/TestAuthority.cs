using System;
using System.Collections.Generic;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Tls;

/// <summary>A certificate authority, made anew, that issues whatever a test asks for.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly ECDsa key;
    private readonly X509Certificate2 certificate;
    private readonly string chain; // PEM of the certificates between a leaf and the root

    public TestAuthority(string name = "test authority")
        : this(name, null, "")
    {
    }

    private TestAuthority(string name, TestAuthority? parent, string chain)
    {
        key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = DateTimeOffset.UtcNow;
        if (parent is null)
        {
            certificate = request.CreateSelfSigned(now.AddDays(-10), now.AddDays(10));
        }
        else
        {
            using var bare = request.Create(parent.certificate, now.AddDays(-9), now.AddDays(9), RandomNumberGenerator.GetBytes(8));
            certificate = bare.CopyWithPrivateKey(key);
        }
        this.chain = parent is null ? "" : certificate.ExportCertificatePem() + "\n" + chain;
    }

    public ByteString Pem => ByteString.CopyFromUtf8(certificate.ExportCertificatePem());

    public string Subject => certificate.Subject;

    /// <summary>An authority under this one; the leaves of it bring the way up with them.</summary>
    public TestAuthority Intermediate(string name) => new(name, this, chain);

    /// <summary>A leaf for both sides.</summary>
    public TlsCertificateConfig Issue(Leaf leaf) => Issue(leaf, out _);

    /// <summary>The same, with the certificate for its hashes.</summary>
    public TlsCertificateConfig Issue(Leaf leaf, out X509Certificate2 issued)
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + leaf.Name, own, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in leaf.Dns)
        {
            names.AddDnsName(name);
        }
        foreach (var name in leaf.Uris)
        {
            names.AddUri(new Uri(name));
        }
        foreach (var name in leaf.Emails)
        {
            names.AddEmailAddress(name);
        }
        foreach (var address in leaf.Addresses)
        {
            names.AddIpAddress(IPAddress.Parse(address));
        }
        request.CertificateExtensions.Add(names.Build());
        if (leaf.LooksUpAt is { } url)
        {
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension([url + "/ocsp"], [url + "/issuer.crt"]));
            request.CertificateExtensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([url + "/list.crl"]));
        }
        var now = DateTimeOffset.UtcNow;
        issued = request.Create(certificate, leaf.Expired ? now.AddDays(-5) : now.AddDays(-1), leaf.Expired ? now.AddDays(-1) : now.AddDays(5), leaf.Serial ?? RandomNumberGenerator.GetBytes(8));
        return new TlsCertificateConfig("own", ByteString.CopyFromUtf8(issued.ExportCertificatePem() + "\n" + (leaf.WithoutChain ? "" : chain)), ByteString.CopyFromUtf8(own.ExportPkcs8PrivateKeyPem()));
    }

    /// <summary>A revocation list, PEM.</summary>
    public ByteString RevocationList(DateTimeOffset until, params byte[][] serials)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var serial in serials)
        {
            builder.AddEntry(serial, DateTimeOffset.UtcNow.AddHours(-1));
        }
        var der = builder.Build(certificate, 1, until, HashAlgorithmName.SHA256, null, until.AddDays(-8));
        return ByteString.CopyFromUtf8(PemEncoding.WriteString("X509 CRL", der) + "\n");
    }

    public void Dispose()
    {
        certificate.Dispose();
        key.Dispose();
    }
}

/// <summary>What a leaf is to say.</summary>
internal sealed record Leaf(string Name)
{
    public IReadOnlyList<string> Dns { get; init; } = [];

    public IReadOnlyList<string> Uris { get; init; } = [];

    public IReadOnlyList<string> Emails { get; init; } = [];

    public IReadOnlyList<string> Addresses { get; init; } = [];

    public bool Expired { get; init; }

    public bool WithoutChain { get; init; }

    public byte[]? Serial { get; init; }

    /// <summary>Base of the URLs where its issuer and its revocation could be asked for.</summary>
    public string? LooksUpAt { get; init; }

    public static Leaf Host(string name) => new(name) { Dns = [name] };
}
