using System;
using System.Linq;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Postern.Policy.Config;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Resources;
using Postern.Xds.Text;

namespace Postern.Tests.Xds;

/// <summary>The two TLS contexts, message → config: what is honoured, and what is refused by its name.</summary>
public class TlsContextTests
{
    private const string Spki = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    private static readonly string Hash = new('a', 64);
    private static readonly (string Certificate, string Key) One = Make();

    private static (string Certificate, string Key) Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=one", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    private static DataSource Text(string text) => new() { InlineString = text };

    private static CertificateValidationContext Trust() => new() { TrustedCa = Text(One.Certificate) };

    private static SdsSecretConfig Sds(string name) => new() { Name = name, SdsConfig = new() { Ads = new() } };

    private static DownstreamTlsContext Server() => new()
    {
        CommonTlsContext = new() { TlsCertificates = { new TlsCertificate { CertificateChain = Text(One.Certificate), PrivateKey = Text(One.Key) } } },
    };

    private static UpstreamTlsContext Client() => new() { CommonTlsContext = new() { ValidationContext = Trust() } };

    private static DownstreamTlsConfig Read(DownstreamTlsContext context) => TlsContexts.ToConfig(context, ConfigPath.Empty);

    private static UpstreamTlsConfig Read(UpstreamTlsContext context) => TlsContexts.ToConfig(context, ConfigPath.Empty);

    private static void AssertRefused(string expected, DownstreamTlsContext context) =>
        Assert.StartsWith(expected, Assert.Throws<XdsConfigException>(() => Read(context)).Message, StringComparison.Ordinal);

    private static void AssertRefused(string expected, UpstreamTlsContext context) =>
        Assert.StartsWith(expected, Assert.Throws<XdsConfigException>(() => Read(context)).Message, StringComparison.Ordinal);

    [Fact]
    public void SilentContext_HasSafeDefaults()
    {
        var server = Read(Server());
        Assert.Equal((false, false, true), (server.RequireClientCertificate, server.RequireSni, server.AllowResumption));
        Assert.Equal(SslProtocols.Tls12 | SslProtocols.Tls13, server.Common.Versions);
        Assert.Empty(server.Common.CipherSuites);
        var client = Read(Client());
        Assert.Equal(("", false, true), (client.Sni, client.CheckSni, client.AllowResumption));
        Assert.Equal(SslProtocols.Tls12 | SslProtocols.Tls13, client.Common.Versions);
    }

    [Fact]
    public void OneItemWithAComma_IsTwoProtocols()
    {
        var server = Server();
        server.CommonTlsContext.AlpnProtocols.Add("h2,http/1.1");
        Assert.Equal(["h2", "http/1.1"], Read(server).Common.AlpnProtocols);
        server.CommonTlsContext.AlpnProtocols.Add("istio");
        Assert.Equal(["h2", "http/1.1", "istio"], Read(server).Common.AlpnProtocols);
    }

    [Theory]
    [InlineData("")]
    [InlineData("h2,")]
    [InlineData("h2, http/1.1")]
    [InlineData("h\u00e92")]
    public void ProtocolThatIsNone_IsRefused(string item)
    {
        var server = Server();
        server.CommonTlsContext.AlpnProtocols.Add(item);
        AssertRefused("common_tls_context.alpn_protocols[0]: a protocol's name ", server);
    }

    [Theory]
    [InlineData(3, 0, SslProtocols.Tls12 | SslProtocols.Tls13)]
    [InlineData(4, 0, SslProtocols.Tls13)]
    [InlineData(0, 3, SslProtocols.Tls12)]
    [InlineData(4, 4, SslProtocols.Tls13)]
    public void Versions_AreARange(int low, int high, SslProtocols expected)
    {
        var client = Client();
        client.CommonTlsContext.TlsParams = new() { TlsMinimumProtocolVersion = (TlsParameters.Types.TlsProtocol)low, TlsMaximumProtocolVersion = (TlsParameters.Types.TlsProtocol)high };
        Assert.Equal(expected, Read(client).Common.Versions);
    }

    [Theory]
    [InlineData(1, 0, "common_tls_context.tls_params.tls_minimum_protocol_version: TLS 1.0 and 1.1 are not spoken")]
    [InlineData(0, 2, "common_tls_context.tls_params.tls_maximum_protocol_version: TLS 1.0 and 1.1 are not spoken")]
    [InlineData(4, 3, "common_tls_context.tls_params: tls_minimum_protocol_version is above")]
    [InlineData(9, 0, "common_tls_context.tls_params.tls_minimum_protocol_version: value 9 is not known")]
    public void VersionThatIsNotSpoken_IsRefused(int low, int high, string expected)
    {
        var client = Client();
        client.CommonTlsContext.TlsParams = new() { TlsMinimumProtocolVersion = (TlsParameters.Types.TlsProtocol)low, TlsMaximumProtocolVersion = (TlsParameters.Types.TlsProtocol)high };
        AssertRefused(expected, client);
    }

    [Fact]
    public void CipherSuites_KeepTheirOrderAndGroupsAreOpened()
    {
        var server = Server();
        server.CommonTlsContext.TlsParams = new() { CipherSuites = { "[ECDHE-RSA-AES256-GCM-SHA384|ECDHE-RSA-CHACHA20-POLY1305]", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" } };
        Assert.Equal(
            [TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256],
            Read(server).Common.CipherSuites);
        server.CommonTlsContext.TlsParams.CipherSuites.Add("AES128-SHA");
        AssertRefused("common_tls_context.tls_params.cipher_suites[2]: 'AES128-SHA' is not offered", server);
    }

    [Fact]
    public void SecretsByName_KeepTheirSources()
    {
        var server = new DownstreamTlsContext
        {
            RequireClientCertificate = true,
            CommonTlsContext = new() { TlsCertificateSdsSecretConfigs = { Sds("ns/tls"), new SdsSecretConfig { Name = "fixed" } }, ValidationContextSdsSecretConfig = Sds("ns/ca") },
        };
        var config = Read(server);
        Assert.Equal(["ns/tls", "fixed"], config.Common.CertificateSecrets.Select(s => s.Name));
        Assert.IsType<AdsSourceConfig>(config.Common.CertificateSecrets[0].Source);
        Assert.Null(config.Common.CertificateSecrets[1].Source);
        Assert.Equal("ns/ca", config.Common.ValidationSecret!.Name);
        server.CommonTlsContext.TlsCertificates.Add(Server().CommonTlsContext.TlsCertificates[0]);
        AssertRefused("common_tls_context.tls_certificate_sds_secret_configs: stands beside tls_certificates", server);
        AssertRefused("common_tls_context.validation_context_sds_secret_config.name: must not be empty", new UpstreamTlsContext { CommonTlsContext = new() { ValidationContextSdsSecretConfig = new() } });
    }

    [Fact]
    public void CombinedContext_IsMergedWithItsSecret()
    {
        var client = new UpstreamTlsContext
        {
            CommonTlsContext = new()
            {
                CombinedValidationContext = new()
                {
                    DefaultValidationContext = new() { VerifyCertificateSpki = { Spki }, MaxVerifyDepth = 3 },
                    ValidationContextSdsSecretConfig = Sds("ns/ca"),
                },
            },
        };
        var common = Read(client).Common;
        Assert.True(common.Validation!.TrustedCa.IsEmpty);
        var merged = common.Validation.Merge(new ValidationContextConfig("ns/ca", ByteString.CopyFromUtf8("pem")) { MaxDepth = 1, CertificateHashes = [Hash] });
        Assert.Equal(("ns/ca", "pem", 1, Spki, Hash), (merged.Name, merged.TrustedCa.ToStringUtf8(), merged.MaxDepth, merged.KeyHashes.Single(), merged.CertificateHashes.Single()));
        client.CommonTlsContext.CombinedValidationContext.ValidationContextSdsSecretConfig = null;
        AssertRefused("common_tls_context.combined_validation_context.validation_context_sds_secret_config: is missing", client);
    }

    [Fact]
    public void PinsAndNames_AreRead()
    {
        var client = Client();
        var validation = client.CommonTlsContext.ValidationContext;
        validation.VerifyCertificateHash.Add(string.Join(':', Enumerable.Repeat("aB", 32)));
        validation.VerifyCertificateSpki.Add(Spki);
        validation.MatchTypedSubjectAltNames.Add(new SubjectAltNameMatcher { SanType = SubjectAltNameMatcher.Types.SanType.Uri, Matcher = new() { Prefix = "spiffe://mesh/" } });
        validation.MaxVerifyDepth = 2;
        var config = Read(client).Common.Validation!;
        Assert.Equal(string.Concat(Enumerable.Repeat("AB", 32)), config.CertificateHashes.Single());
        Assert.Equal(Spki, config.KeyHashes.Single());
        Assert.Equal(new SubjectAltNameConfig(SubjectAltNameKind.Uri, new StringMatcherConfig(StringMatchKind.Prefix, "spiffe://mesh/", false)), config.SubjectAltNames.Single());
        Assert.Equal(2, config.MaxDepth);
        Assert.DoesNotContain("BEGIN", Read(client).ToString(), StringComparison.Ordinal);
    }

    public static TheoryData<string, Action<CertificateValidationContext>> BadTrust => new()
    {
        { "verify_certificate_hash[0]: is no SHA-256", v => v.VerifyCertificateHash.Add("abc") },
        { "verify_certificate_hash[0]: is no SHA-256", v => v.VerifyCertificateHash.Add(new string('x', 64)) },
        { "verify_certificate_spki[0]: is no SHA-256", v => v.VerifyCertificateSpki.Add(new string('x', 45)) },
        { "trust_chain_verification: ACCEPT_UNTRUSTED would let anybody in", v => v.TrustChainVerification = CertificateValidationContext.Types.TrustChainVerification.AcceptUntrusted },
        { "max_verify_depth: 101 is more than 100", v => v.MaxVerifyDepth = 101 },
        { "match_typed_subject_alt_names[0].san_type: OTHER_NAME is not built in", v => v.MatchTypedSubjectAltNames.Add(new SubjectAltNameMatcher { SanType = SubjectAltNameMatcher.Types.SanType.OtherName, Matcher = new() { Exact = "x" } }) },
        { "match_typed_subject_alt_names[0].san_type: must be one of", v => v.MatchTypedSubjectAltNames.Add(new SubjectAltNameMatcher { Matcher = new() { Exact = "x" } }) },
        { "match_typed_subject_alt_names[0].matcher: is missing", v => v.MatchTypedSubjectAltNames.Add(new SubjectAltNameMatcher { SanType = SubjectAltNameMatcher.Types.SanType.Dns }) },
        { "match_typed_subject_alt_names[0].matcher: safe_regex '(?=x)'", v => v.MatchTypedSubjectAltNames.Add(new SubjectAltNameMatcher { SanType = SubjectAltNameMatcher.Types.SanType.Dns, Matcher = new() { SafeRegex = new() { Regex = "(?=x)" } } }) },
        { "crl: holds no PEM x509 crl", v => v.Crl = Text("hush") },
        { "crl: list 1 is no certificate revocation list in DER", v => v.Crl = Text("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n") },
        { "trusted_ca: holds a PEM block other than CERTIFICATE", v => v.TrustedCa = Text(One.Certificate + "\n" + One.Key) },
        { "trusted_ca: holds a PEM block that is damaged", v => v.TrustedCa = Text(One.Certificate + "\n" + One.Certificate.Replace("END", "ENT", StringComparison.Ordinal)) },
        { "trusted_ca: holds a PEM block that is damaged", v => v.TrustedCa = Text(One.Certificate.Replace("END", "ENT", StringComparison.Ordinal) + "\n" + One.Certificate) },
        { "trusted_ca: is missing", v => v.TrustedCa = null },
    };

    [Theory]
    [MemberData(nameof(BadTrust))]
    public void TrustThatCannotBeHonoured_IsRefused(string expected, Action<CertificateValidationContext> change)
    {
        var client = Client();
        change(client.CommonTlsContext.ValidationContext);
        AssertRefused("common_tls_context.validation_context." + expected, client);
    }

    public static TheoryData<string, Action<DownstreamTlsContext>> BadServers => new()
    {
        { "common_tls_context: has no certificate", s => s.CommonTlsContext = null },
        { "require_client_certificate: needs a validation_context", s => s.RequireClientCertificate = true },
        { "session_ticket_keys: tickets are sealed with keys that .NET makes", s => s.SessionTicketKeys = new() },
        { "session_ticket_keys_sds_secret_config: tickets are sealed", s => s.SessionTicketKeysSdsSecretConfig = Sds("k") },
        { "ocsp_staple_policy: OCSP responses are not stapled", s => s.OcspStaplePolicy = DownstreamTlsContext.Types.OcspStaplePolicy.MustStaple },
        { "prefer_client_ciphers: the server's order decides", s => s.PreferClientCiphers = true },
    };

    [Theory]
    [MemberData(nameof(BadServers))]
    public void ServerFieldThatCannotBeHonoured_IsRefused(string expected, Action<DownstreamTlsContext> change)
    {
        var server = Server();
        change(server);
        AssertRefused(expected, server);
    }

    public static TheoryData<string, Action<UpstreamTlsContext>> BadClients => new()
    {
        { "common_tls_context.validation_context: is missing", c => c.CommonTlsContext = null },
        { "allow_renegotiation: renegotiation is not allowed", c => c.AllowRenegotiation = true },
        { "auto_host_sni: endpoints have addresses only", c => c.AutoHostSni = true },
        { "sni: 256 characters are more than 255", c => c.Sni = new string('a', 256) },
        { "common_tls_context.tls_certificate_sds_secret_configs: has more than one", c => c.CommonTlsContext.TlsCertificateSdsSecretConfigs.Add([Sds("a"), Sds("b")]) },
    };

    [Theory]
    [MemberData(nameof(BadClients))]
    public void ClientFieldThatCannotBeHonoured_IsRefused(string expected, Action<UpstreamTlsContext> change)
    {
        var client = Client();
        change(client);
        AssertRefused(expected, client);
    }

    [Fact]
    public void Resumption_IsSwitchedOffByEitherField()
    {
        var server = Server();
        server.DisableStatelessSessionResumption = true;
        Assert.False(Read(server).AllowResumption);
        server = Server();
        server.DisableStatefulSessionResumption = true;
        Assert.False(Read(server).AllowResumption);
        var client = Client();
        client.MaxSessionKeys = 0;
        Assert.False(Read(client).AllowResumption);
        client.MaxSessionKeys = 1;
        Assert.True(Read(client).AllowResumption);
    }
}
