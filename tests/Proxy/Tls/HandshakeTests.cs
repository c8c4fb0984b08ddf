using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Threading.Tasks;
using Postern.Policy.Config;
using Postern.Xds.Config;
using static Postern.Tests.Proxy.Tls.Handshake;

namespace Postern.Tests.Proxy.Tls;

/// <summary>Our server against our client: who gets through, and why not.</summary>
public sealed class HandshakeTests : IDisposable
{
    private readonly TestAuthority authority = new();
    private readonly TestAuthority stranger = new("stranger");

    public void Dispose()
    {
        authority.Dispose();
        stranger.Dispose();
    }

    private ValidationContextConfig Trust => new("ca", authority.Pem);

    private TlsCertificateConfig Host(string name = "server.test") => authority.Issue(Leaf.Host(name));

    [Theory]
    [InlineData(SslProtocols.Tls12, SslProtocols.Tls12 | SslProtocols.Tls13, SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls12 | SslProtocols.Tls13, SslProtocols.Tls12, SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls12 | SslProtocols.Tls13, SslProtocols.Tls12 | SslProtocols.Tls13, SslProtocols.Tls13)]
    [InlineData(SslProtocols.Tls13, SslProtocols.Tls12, SslProtocols.None)]
    [InlineData(SslProtocols.Tls12, SslProtocols.Tls13, SslProtocols.None)]
    public async Task Versions_MeetAtTheHighestInCommon(SslProtocols server, SslProtocols client, SslProtocols expected)
    {
        var serving = Server1(Host());
        var asking = Client1(Trust, "server.test");
        await using var shake = await RunAsync(serving with { Common = serving.Common with { Versions = server } }, asking with { Common = asking.Common with { Versions = client } });
        Assert.Equal(expected != SslProtocols.None, shake.Succeeded);
        if (shake.Succeeded)
        {
            Assert.Equal((expected, expected), (shake.Server.SslProtocol, shake.Client.SslProtocol));
        }
    }

    [Theory]
    [InlineData("h2 http/1.1", "http/1.1 h2", "h2")]
    [InlineData("http/1.1", "h2 http/1.1", "http/1.1")]
    [InlineData("", "h2", "")]
    [InlineData("h2", "", "")]
    public async Task Protocol_IsTheServersChoice(string server, string client, string expected)
    {
        static EquatableList<string> Split(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        var serving = Server1(Host());
        var asking = Client1(Trust, "server.test");
        await using var shake = await RunAsync(
            serving with { Common = serving.Common with { AlpnProtocols = Split(server) } }, asking with { Common = asking.Common with { AlpnProtocols = Split(client) } });
        Assert.True(shake.Succeeded, shake.ClientRefusal);
        Assert.Equal((expected, expected), (shake.Server.NegotiatedApplicationProtocol.ToString(), shake.Client.NegotiatedApplicationProtocol.ToString()));
    }

    [Fact]
    public async Task NoProtocolInCommon_IsRefused()
    {
        var serving = Server1(Host());
        var asking = Client1(Trust, "server.test");
        await using var shake = await RunAsync(serving with { Common = serving.Common with { AlpnProtocols = ["h2"] } }, asking with { Common = asking.Common with { AlpnProtocols = ["http/1.1"] } });
        Assert.False(shake.Succeeded);
    }

    [Fact]
    public async Task CipherSuite_IsTheFirstOfTheServersThatTheClientHas()
    {
        const TlsCipherSuite Small = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
        const TlsCipherSuite Large = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
        const TlsCipherSuite Other = TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
        var seen = new List<TlsCipherSuite?>();
        foreach (var (server, client) in new (EquatableList<TlsCipherSuite>, EquatableList<TlsCipherSuite>)[]
        {
            ([Small, Large], [Large, Small]), ([Large, Small], [Small, Large]), ([Other, Small], [Small, Other]), ([Large], [Small, Large]), ([Small], [Large]),
        })
        {
            var serving = Server1(Host());
            var asking = Client1(Trust, "server.test");
            await using var shake = await RunAsync(
                serving with { Common = serving.Common with { Versions = SslProtocols.Tls12, CipherSuites = server } }, asking with { Common = asking.Common with { CipherSuites = client } });
            seen.Add(shake.Succeeded ? shake.Server.NegotiatedCipherSuite : null);
        }
        Assert.Equal([Small, Large, Other, Large, null], seen);
    }

    [Theory]
    [InlineData("server.test", null)]
    [InlineData("", null)]
    [InlineData("elsewhere.test", "the certificate is for another host name")]
    public async Task NameThatIsSent_MustBeInTheCertificate(string sni, string? refusal)
    {
        await using var shake = await RunAsync(Server1(Host()), Client1(Trust, sni));
        Assert.Equal((refusal is null, refusal), (shake.Succeeded, shake.ClientRefusal));
    }

    [Fact]
    public async Task NameOfOneConnection_MustBeInTheCertificateWhateverTheMatchersSay()
    {
        var trust = Trust with { SubjectAltNames = [new(SubjectAltNameKind.Dns, new(StringMatchKind.Exact, "server.test", false))] };
        var client = ClientContext(Client1(trust, "configured.test"));
        await using var configured = await RunAsync(ServerContext(Server1(Host())).Options, client.Options);
        Assert.True(configured.Succeeded, configured.ClientRefusal); // the matchers stand in the place of the name
        await using var other = await RunAsync(ServerContext(Server1(Host())).Options, client.For("other.test"));
        Assert.Equal("the certificate is for another host name", other.ClientRefusal);
        await using var same = await RunAsync(ServerContext(Server1(Host())).Options, client.For("server.test"));
        Assert.True(same.Succeeded, same.ClientRefusal);
        Assert.Equal("server.test", same.Server.TargetHostName);
        await using var both = await RunAsync(Server1(Host()), Client1(trust, "configured.test") with { CheckSni = true });
        Assert.Equal("the certificate is for another host name", both.ClientRefusal);
    }

    [Fact]
    public async Task ServerOfAStranger_IsRefused()
    {
        await using var shake = await RunAsync(Server1(stranger.Issue(Leaf.Host("server.test"))), Client1(Trust, "server.test"));
        Assert.False(shake.Succeeded);
        Assert.StartsWith("no valid chain to trusted_ca", shake.ClientRefusal);
    }

    [Fact]
    public async Task ExpiredServer_IsRefusedUnlessAllowed()
    {
        var server = Server1(authority.Issue(Leaf.Host("server.test") with { Expired = true }));
        await using var shake = await RunAsync(server, Client1(Trust, "server.test"));
        Assert.Equal("no valid chain to trusted_ca: NotTimeValid", shake.ClientRefusal);
        await using var lenient = await RunAsync(server, Client1(Trust with { AllowExpired = true }, "server.test"));
        Assert.True(lenient.Succeeded, lenient.ClientRefusal);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task ClientCertificate_IsJudged(SslProtocols version)
    {
        var good = authority.Issue(Leaf.Host("client.test"));
        var cases = new (TlsCertificateConfig? Certificate, bool Require, string? Refusal)[]
        {
            (good, true, null),
            (good, false, null),
            (null, false, null),
            (null, true, "no certificate was shown"),
            (stranger.Issue(Leaf.Host("client.test")), true, "no valid chain to trusted_ca"),
            (stranger.Issue(Leaf.Host("client.test")), false, "no valid chain to trusted_ca"),
            (authority.Issue(Leaf.Host("client.test") with { Expired = true }), false, "no valid chain to trusted_ca: NotTimeValid"),
        };
        foreach (var (certificate, require, refusal) in cases)
        {
            var server = Server1(Host(), Trust with { SuppressClientCaList = true }, require);
            await using var shake = await RunAsync(server with { Common = server.Common with { Versions = version } }, Client1(Trust, "server.test", certificate));
            Assert.True(refusal is null == shake.Succeeded, $"{certificate} {require}: {shake.ServerRefusal}, {shake.Succeeded}");
            Assert.StartsWith(refusal ?? "none", shake.ServerRefusal ?? "none");
        }
    }

    [Fact]
    public async Task ClientMustShowACertificate_WhereTheServerNamesWhom()
    {
        var trust = Trust with { SubjectAltNames = [new(SubjectAltNameKind.Dns, new(StringMatchKind.Suffix, ".mesh", false))] };
        foreach (var (certificate, refusal) in new[]
        {
            (null, "no certificate was shown"),
            (authority.Issue(Leaf.Host("client.test")), "no name in the certificate fits match_typed_subject_alt_names"),
            (authority.Issue(Leaf.Host("client.mesh")), null),
        })
        {
            await using var shake = await RunAsync(Server1(Host(), trust), Client1(Trust, "server.test", certificate));
            Assert.Equal((refusal is null, refusal), (shake.Succeeded, shake.ServerRefusal));
        }
    }

    public static TheoryData<int, int, string, bool, bool> Matchers => new()
    {
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.Exact, "a.example.test", false, true },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.Exact, "A.Example.test", false, true },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.Exact, "x.wild.test", false, true },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.Exact, "x.y.wild.test", false, false },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.Exact, "wild.test", false, false },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.Exact, "b.example.test", false, false },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.Exact, "spiffe://mesh/one", false, false },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.Prefix, "a.", false, true },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.Prefix, "A.", false, false },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.Prefix, "A.", true, true },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.Suffix, ".example.test", false, true },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.Contains, "exam", false, true },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.SafeRegex, "[ab]\\.example\\.test", false, true },
        { (int)SubjectAltNameKind.Dns, (int)StringMatchKind.SafeRegex, "example", false, false },
        { (int)SubjectAltNameKind.Uri, (int)StringMatchKind.Exact, "spiffe://mesh/one", false, true },
        { (int)SubjectAltNameKind.Uri, (int)StringMatchKind.Exact, "spiffe://mesh/One", false, false },
        { (int)SubjectAltNameKind.Uri, (int)StringMatchKind.Prefix, "spiffe://mesh/", false, true },
        { (int)SubjectAltNameKind.Uri, (int)StringMatchKind.Prefix, "spiffe://other/", false, false },
        { (int)SubjectAltNameKind.Email, (int)StringMatchKind.Exact, "ops@example.test", false, true },
        { (int)SubjectAltNameKind.Email, (int)StringMatchKind.Exact, "ops@other.test", false, false },
        { (int)SubjectAltNameKind.IpAddress, (int)StringMatchKind.Exact, "192.0.2.7", false, true },
        { (int)SubjectAltNameKind.IpAddress, (int)StringMatchKind.Exact, "2001:db8::7", false, true },
        { (int)SubjectAltNameKind.IpAddress, (int)StringMatchKind.Exact, "192.0.2.8", false, false },
        { (int)SubjectAltNameKind.IpAddress, (int)StringMatchKind.Prefix, "192.0.2.", false, true },
    };

    [Theory]
    [MemberData(nameof(Matchers))]
    public async Task SubjectAltName_IsMatchedByKindAndText(int kind, int match, string text, bool ignoreCase, bool fits)
    {
        var leaf = new Leaf("named") { Dns = ["a.example.test", "*.wild.test"], Uris = ["spiffe://mesh/one"], Emails = ["ops@example.test"], Addresses = ["192.0.2.7", "2001:db8::7"] };
        var trust = Trust with { SubjectAltNames = [new((SubjectAltNameKind)kind, new((StringMatchKind)match, text, ignoreCase))] };
        await using var shake = await RunAsync(Server1(authority.Issue(leaf)), Client1(trust));
        Assert.Equal((fits, fits ? null : "no name in the certificate fits match_typed_subject_alt_names"), (shake.Succeeded, shake.ClientRefusal));
    }

    [Fact]
    public async Task Pins_AreOneFitInEitherList()
    {
        var server = Server1(authority.Issue(Leaf.Host("server.test"), out var certificate));
        var hash = Convert.ToHexString(SHA256.HashData(certificate.RawData));
        var key = Convert.ToBase64String(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));
        var (otherHash, otherKey) = (new string('A', 64), Convert.ToBase64String(new byte[32]));
        foreach (var (hashes, keys, fits) in new (EquatableList<string>, EquatableList<string>, bool)[]
        {
            ([hash], [], true), ([otherHash, hash], [], true), ([], [key], true), ([otherHash], [key], true), ([hash], [otherKey], true),
            ([otherHash], [], false), ([], [otherKey], false), ([otherHash], [otherKey], false),
        })
        {
            await using var shake = await RunAsync(server, Client1(Trust with { CertificateHashes = hashes, KeyHashes = keys }, "server.test"));
            Assert.Equal((fits, fits ? null : "the certificate is none of verify_certificate_hash and verify_certificate_spki"), (shake.Succeeded, shake.ClientRefusal));
        }
        // A pin stands beside the chain, not in its place.
        await using var untrusted = await RunAsync(server, Client1(new ValidationContextConfig("ca", stranger.Pem) { CertificateHashes = [hash] }, "server.test"));
        Assert.StartsWith("no valid chain to trusted_ca", untrusted.ClientRefusal);
    }

    [Fact]
    public async Task Chain_IsSentAndItsDepthBounded()
    {
        using var middle = authority.Intermediate("middle");
        var server = Server1(middle.Issue(Leaf.Host("server.test")));
        await using var shake = await RunAsync(server, Client1(Trust, "server.test"));
        Assert.True(shake.Succeeded, shake.ClientRefusal);
        await using var shallow = await RunAsync(server, Client1(Trust with { MaxDepth = 0 }, "server.test"));
        Assert.StartsWith("the chain has more than max_verify_depth 0", shallow.ClientRefusal);
        await using var deep = await RunAsync(server, Client1(Trust with { MaxDepth = 1 }, "server.test"));
        Assert.True(deep.Succeeded, deep.ClientRefusal);
        // What one handshake brought along is not kept for the next.
        var client = ClientContext(Client1(Trust, "server.test"));
        await using var first = await RunAsync(ServerContext(server).Options, client.Options);
        Assert.True(first.Succeeded, first.ClientRefusal);
        await using var without = await RunAsync(ServerContext(Server1(middle.Issue(Leaf.Host("server.test") with { WithoutChain = true }))).Options, client.Options);
        Assert.StartsWith("no valid chain to trusted_ca", without.ClientRefusal);
    }
}
