using System.IO;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Proxy.Admin;
using Postern.Xds.Discovery;

namespace Postern.Tests.Proxy.Admin;

/// <summary>Writes <c>Secret</c> resources byte by byte, as they come over the wire.</summary>
internal static class TlsSecret
{
    /// <summary>A secret with <c>tls_certificate{certificate_chain, private_key}</c>, both inline strings.</summary>
    public static ResourceStatus Resource(string name, string chain, string key) =>
        Wrap(name, Field(2, [.. Field(1, Inline(chain)), .. Field(2, Inline(key))]));

    /// <summary>A secret with <c>validation_context{trusted_ca}</c>.</summary>
    public static ResourceStatus Validation(string name, string ca) => Wrap(name, Field(4, Field(1, Inline(ca))));

    /// <summary>A self-signed certificate, 30 days from the fake's start, PEM.</summary>
    public static string Certificate(string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + host, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(new X500DistinguishedName("CN=ca"), X509SignatureGenerator.CreateForECDsa(key), FakeTarget.Epoch, FakeTarget.Epoch.AddDays(30), [0x0a, 0xbc]);
        return certificate.ExportCertificatePem();
    }

    private static ResourceStatus Wrap(string name, byte[] content)
    {
        byte[] secret = [.. Field(1, System.Text.Encoding.UTF8.GetBytes(name)), .. content];
        var any = new Any { TypeUrl = ResourceType.Secret.TypeUrl, Value = ByteString.CopyFrom(secret) };
        return new ResourceStatus(ResourceType.Secret, name, ResourceState.Active, "1", FakeTarget.Epoch, [], "", any);
    }

    private static byte[] Inline(string text) => Field(3, System.Text.Encoding.UTF8.GetBytes(text));

    private static byte[] Field(int number, byte[] content)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            output.WriteTag(number, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(content));
        }
        return bytes.ToArray();
    }
}
