using System;
using System.IO;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Config;
using Postern.Xds.Discovery;
using static Postern.Tests.Xds.WireResources;

namespace Postern.Tests.Xds;

public class SecretTests
{
    private static readonly (string Certificate, string Key) One = Make("one");
    private static readonly (string Certificate, string Key) Two = Make("two");

    private static (string Certificate, string Key) Make(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2100, 1, 2, 3, 4, 5, TimeSpan.Zero));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    private static DataSource Text(string text) => new() { InlineString = text };

    private static DataSource Bytes(string text) => new() { InlineBytes = ByteString.CopyFromUtf8(text) };

    private static Secret Pair(string certificate, string key) =>
        new() { Name = "ns/tls", TlsCertificate = new TlsCertificate { CertificateChain = Bytes(certificate), PrivateKey = Bytes(key) } };

    [Fact]
    public void Certificate_IsReadWithItsEnd()
    {
        var decoded = Decode(ResourceType.Secret, Pair(One.Certificate, One.Key));
        var config = Assert.IsType<TlsCertificateConfig>(decoded.Config);
        Assert.Equal(("ns/tls", One.Key), (decoded.Name, config.PrivateKey.ToStringUtf8()));
        Assert.Equal(new DateTimeOffset(2100, 1, 2, 3, 4, 5, TimeSpan.Zero), config.NotAfter);
        Assert.Equal("TlsCertificateConfig(ns/tls, [redacted])", config.ToString());
        Assert.Equal(config, Decode(ResourceType.Secret, Pair(One.Certificate, One.Key)).Config);
    }

    [Theory]
    [InlineData("two", "tls_certificate.private_key: is no unencrypted PEM key of this certificate")]
    [InlineData("none", "tls_certificate.private_key: is no unencrypted PEM key of this certificate")]
    public void KeyOfAnotherCertificate_IsRefused(string key, string expected)
    {
        var message = Refused(ResourceType.Secret, Pair(One.Certificate, key == "two" ? Two.Key : "hush"));
        Assert.StartsWith(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", message, StringComparison.Ordinal);
    }

    [Fact]
    public void ChainWithoutACertificate_IsRefused() => Assert.StartsWith(
        "tls_certificate.certificate_chain: holds no PEM certificate", Refused(ResourceType.Secret, Pair("hush", One.Key)), StringComparison.Ordinal);

    [Fact]
    public void TrustedCa_IsRequired()
    {
        var context = new CertificateValidationContext { TrustedCa = Text(One.Certificate + "\n" + Two.Certificate) };
        Assert.IsType<ValidationContextConfig>(Decode(ResourceType.Secret, new Secret { Name = "ca", ValidationContext = context }).Config);
        Assert.StartsWith(
            "validation_context.trusted_ca: is missing; without it every certificate would be trusted",
            Refused(ResourceType.Secret, new Secret { Name = "ca", ValidationContext = new() }), StringComparison.Ordinal);
        Assert.StartsWith(
            "validation_context.trusted_ca: needs one of filename, inline_bytes or inline_string",
            Refused(ResourceType.Secret, new Secret { Name = "ca", ValidationContext = new() { TrustedCa = new() } }), StringComparison.Ordinal);
    }

    [Fact]
    public void FieldsThatWouldNarrowTrust_AreRefused()
    {
        // require_signed_certificate_timestamp = 6
        var bytes = new Secret { Name = "ca", ValidationContext = CertificateValidationContext.Parser.ParseFrom(new byte[] { 0x32, 2, 8, 1 }) }.ToByteArray();
        Assert.StartsWith(
            "validation_context.require_signed_certificate_timestamp: require_signed_certificate_timestamp of envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext is not built in yet",
            Assert.Throws<Postern.Xds.XdsConfigException>(() => Decode(ResourceType.Secret, bytes, "", new() { WarnOnUnknownSecurityFields = true })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void GenericSecret_ComesFromAFileToo()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "hush");
            var secret = new Secret { Name = "g", GenericSecret = new() { Secret = new() { Filename = path } } };
            Assert.Equal("hush", ((GenericSecretConfig)Decode(ResourceType.Secret, secret).Config).Secret.ToStringUtf8());
            File.WriteAllText(path, "");
            Assert.StartsWith("generic_secret.secret: is empty", Refused(ResourceType.Secret, secret), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
        Assert.StartsWith(
            "generic_secret.secret.filename: there is no such file",
            Refused(ResourceType.Secret, new Secret { Name = "g", GenericSecret = new() { Secret = new() { Filename = path } } }), StringComparison.Ordinal);
    }

    [Fact]
    public void TicketKeys_HaveEightyBytes()
    {
        var secret = new Secret { Name = "k", SessionTicketKeys = new() { Keys = { Bytes(new string('a', 80)) } } };
        Assert.Single(((SessionTicketKeysConfig)Decode(ResourceType.Secret, secret).Config).Keys);
        secret.SessionTicketKeys.Keys.Add(Bytes("x"));
        Assert.StartsWith("session_ticket_keys.keys[1]: has 1 bytes instead of 80", Refused(ResourceType.Secret, secret), StringComparison.Ordinal);
        secret.SessionTicketKeys.Keys.Clear();
        Assert.StartsWith("session_ticket_keys.keys: needs at least one key", Refused(ResourceType.Secret, secret), StringComparison.Ordinal);
    }

    [Fact]
    public void SecretWithoutKindOrName_IsRefused()
    {
        Assert.StartsWith("needs one of tls_certificate", Refused(ResourceType.Secret, new Secret { Name = "a" }), StringComparison.Ordinal);
        Assert.StartsWith("name: must not be empty", Refused(ResourceType.Secret, new Secret { TlsCertificate = new() }), StringComparison.Ordinal);
    }

    [Fact]
    public void TlsOfACluster_IsKeptForControlPlanes()
    {
        static Envoy.Config.Cluster.V3.Cluster Cluster(UpstreamTlsContext context) => new()
        {
            Name = "cp",
            Type = Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.Eds,
            EdsClusterConfig = new() { EdsConfig = new() { Ads = new() } },
            TransportSocket = new() { Name = "envoy.transport_sockets.tls", TypedConfig = Any.Pack(context) },
        };
        var context = new UpstreamTlsContext
        {
            Sni = "cp.example",
            CommonTlsContext = new()
            {
                AlpnProtocols = { "h2" },
                TlsCertificates = { Pair(One.Certificate, One.Key).TlsCertificate },
                ValidationContext = new() { TrustedCa = Text(Two.Certificate) },
            },
        };
        var tls = ((ClusterConfig)Decode(ResourceType.Cluster, Cluster(context)).Config).Tls!;
        Assert.Equal(("cp.example", "h2", One.Key, Two.Certificate), (tls.Sni, tls.Common.AlpnProtocols[0], tls.Common.Certificates[0].PrivateKey.ToStringUtf8(), tls.Common.Validation!.TrustedCa.ToStringUtf8()));
        context.CommonTlsContext.ValidationContext = null;
        Assert.StartsWith(
            "transport_socket.typed_config.common_tls_context.validation_context: is missing; without trusted_ca every server would be trusted",
            Refused(ResourceType.Cluster, Cluster(context)), StringComparison.Ordinal);
    }
}
