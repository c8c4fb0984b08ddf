using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Tasks;
using Postern.Policy.Config;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Tls;

/// <summary>Which connections get TLS, with what, and what becomes of those that do not: each leaves one record and nothing upstream.</summary>
public sealed class TlsPathTests
{
    private static PortRuleConfig Rule(TlsContextConfig? down = null, TlsContextConfig? up = null, params string[] names) =>
        new() { RemotePolicies = [7], DownstreamTlsContext = down, UpstreamTlsContext = up, ServerNames = names.ToEquatableList() };

    [Fact]
    public async Task Http_IsTerminatedInspectedAndOriginated()
    {
        await using var rig = await TlsRig.StartAsync(
            rig => Rule(rig.Terminate(), rig.Originate()) with { HttpRules = [new HttpRuleConfig([new HeaderMatcherConfig(":path", new StringHeaderMatch(new(StringMatchKind.Exact, "/yes", false)), false, false)], [])] }, http: true);
        await using var client = await rig.DialTlsAsync();
        var serving = rig.AcceptTlsAsync();
        await client.WriteAsync("GET /yes HTTP/1.1\r\nHost: server.test\r\n\r\n"u8.ToArray());
        await using var server = await serving;
        Assert.Equal(TlsRig.Name, server.TargetHostName); // the client's own name went on
        Assert.StartsWith("GET /yes HTTP/1.1\r\n", await TlsRig.ReadAsync(server, 19), StringComparison.Ordinal);
        await server.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await TlsRig.ReadAsync(client, 19), StringComparison.Ordinal);
        var record = Assert.Single(rig.Records.Seen, r => r.Type == Postern.Records.EntryType.Request);
        Assert.Equal(("https", TlsRig.Name, "/yes"), (record.Fields["scheme"], record.Fields["sni"], record.Fields["path"]));

        await using var denied = await rig.DialTlsAsync();
        await denied.WriteAsync("GET /no HTTP/1.1\r\nHost: server.test\r\n\r\n"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 403 ", await TlsRig.ReadAsync(denied, 30), StringComparison.Ordinal);
        Assert.Equal(1, rig.Connects);
        Assert.Equal((2, 2), (rig.Stat(".ssl.handshake"), rig.Stat(".ssl.no_certificate")));
        Assert.Equal(1, rig.ClusterStat("ssl.handshake"));
    }

    [Fact]
    public async Task RuleWithoutContexts_PassesBytesAsTheyAre()
    {
        await using var rig = await TlsRig.StartAsync(_ => Rule(names: "*.test"));
        var serving = rig.AcceptTlsAsync();
        await using var client = await rig.DialTlsAsync();
        await using var server = await serving; // one handshake, end to end
        await TlsRig.PassAsync(client, server);
        Assert.Equal(0, rig.Stat(".ssl.handshake"));
        await RefusedAsync(rig, () => rig.DialTlsAsync(name: "server.example"), "server_name_mismatch", connects: 1);
    }

    [Theory]
    [InlineData("*.test", "server.test", true)]
    [InlineData("**.test", "a.b.test", true)]
    [InlineData("*.test", "a.b.test", false)]
    public async Task ContextOfARuleWithServerNames_GoesToThoseNamesOnly(string pattern, string name, bool terminated)
    {
        await using var rig = await TlsRig.StartAsync(rig => Rule(rig.Terminate(new Leaf("any") { Dns = [name] }), null, pattern));
        if (!terminated)
        {
            await RefusedAsync(rig, () => rig.DialTlsAsync(name: name), "server_name_mismatch");
            return;
        }
        var dialling = rig.DialTlsAsync(name: name);
        await using var server = await rig.AcceptAsync();
        await using var client = await dialling;
        await TlsRig.PassAsync(client, server);
    }

    [Fact]
    public async Task RuleWithTlsOnAChainOrClusterWithoutTheWrapper_IsRefused()
    {
        await using (var rig = await TlsRig.StartAsync(rig => Rule(rig.Terminate()), chain: c => c))
        {
            await RefusedAsync(rig, () => rig.DialTlsAsync(), "tls_context_required");
        }
        await using (var rig = await TlsRig.StartAsync(rig => Rule(up: rig.Originate()), cluster: c => c))
        {
            await using var client = await rig.DialAsync();
            await client.WriteAsync("x"u8.ToArray());
            Assert.Equal("!", await TlsRig.ReadToEndAsync(client));
            Assert.Contains("cluster up has no cilium.tls_wrapper", (await rig.RecordAsync("tls_context_required")).Fields["detail"], StringComparison.Ordinal);
            Assert.Equal(0, rig.ClusterStat("upstream_cx_total"));
        }
    }

    [Fact]
    public async Task PlainClientOfARuleWithBothContexts_IsOriginatedOnAPlainChain()
    {
        await using var rig = await TlsRig.StartAsync(rig => Rule(rig.Terminate(), rig.Originate(TlsRig.Name)), chain: c => c);
        var serving = rig.AcceptTlsAsync();
        await using var client = await rig.DialAsync();
        await client.WriteAsync("plain"u8.ToArray());
        await using var server = await serving;
        Assert.Equal(("plain", TlsRig.Name), (await TlsRig.ReadAsync(server, 5), server.TargetHostName));
    }

    [Fact]
    public async Task SecretThatHasNotCome_ClosesWithARecordThatNamesIt()
    {
        await using var rig = await TlsRig.StartAsync(_ => Rule(TlsRig.Named("ns/web")));
        var record = await RefusedAsync(rig, () => rig.DialTlsAsync(), "tls_secret_missing");
        Assert.Contains("secret ns/web: tls_certificate: has not come yet", record.Fields["detail"], StringComparison.Ordinal);
        Assert.Equal(1, rig.Stat("policy.tls_wrapper_missing_policy"));

        rig.Discovery.Plane.Send("SDS ns/web", ("ns/web", rig.Authority.Issue(Leaf.Host(TlsRig.Name)) with { Name = "ns/web" }));
        var dialling = rig.DialTlsAsync();
        await using var server = await rig.AcceptAsync();
        await using var client = await dialling;
        await TlsRig.PassAsync(client, server);

        rig.Send("2", Rule());
        Assert.DoesNotContain("SDS ns/web", rig.Discovery.Plane.Open);
    }

    [Fact]
    public async Task UpstreamSecretThatHasNotCome_OpensNothing()
    {
        await using var rig = await TlsRig.StartAsync(_ => Rule(up: new TlsContextConfig("", "", "", [], "ns/ca", "", [])), chain: c => c);
        await using var client = await rig.DialAsync();
        await client.WriteAsync("x"u8.ToArray());
        Assert.Equal("!", await TlsRig.ReadToEndAsync(client));
        Assert.Contains("secret ns/ca: validation_context: has not come yet", (await rig.RecordAsync("upstream_tls_failed")).Fields["detail"], StringComparison.Ordinal);
        Assert.Equal((0, 1), (rig.ClusterStat("upstream_cx_total"), rig.Stat("policy.tls_wrapper_missing_policy")));
    }

    [Fact]
    public async Task PolicyWithBadPem_IsRefusedAsAWhole()
    {
        await using var rig = await TlsRig.StartAsync(_ => Rule());
        var other = rig.Authority.Issue(Leaf.Host("other"));
        var mixed = rig.Terminate() with { PrivateKey = other.PrivateKey.ToStringUtf8() };
        Assert.Contains("downstream_tls_context.private_key: is no unencrypted PEM key", Assert.Single(rig.Send("2", Rule(mixed))).Reason, StringComparison.Ordinal);
        Assert.Equal("1", rig.Discovery.Resources.Policy.Current.Version);
    }

    public static TheoryData<string, string> BadClients => new()
    {
        { "none", "no certificate was shown" },
        { "expired", "no valid chain to trusted_ca: NotTimeValid" },
        { "stranger", "no valid chain to trusted_ca: " },
    };

    [Theory]
    [MemberData(nameof(BadClients))]
    public async Task ClientWithABadCertificate_IsRefused(string kind, string expected)
    {
        using var stranger = new TestAuthority("stranger");
        await using var rig = await TlsRig.StartAsync(rig => Rule(rig.Terminate(trusted: rig.Authority.Pem.ToStringUtf8())));
        var leaf = Leaf.Host("client.test") with { Expired = kind == "expired" };
        var own = Handshake.ClientContext(Handshake.Client1(new ValidationContextConfig("", rig.Authority.Pem), "", (kind == "stranger" ? stranger : rig.Authority).Issue(leaf))).Options;
        var record = await RefusedAsync(
            rig, () => rig.DialTlsAsync(o => { o.ClientCertificateContext = kind == "none" ? null : own.ClientCertificateContext; return o; }), "tls_handshake_failed");
        Assert.Contains(expected, record.Fields["detail"], StringComparison.Ordinal);
        Assert.Equal(1, rig.Stat(kind == "none" ? ".ssl.fail_verify_no_cert" : ".ssl.fail_verify_error"));
    }

    public static TheoryData<string, string, string> BadServers => new()
    {
        { "expired", "no valid chain to trusted_ca: NotTimeValid", "ssl.fail_verify_error" },
        { "stranger", "no valid chain to trusted_ca: ", "ssl.fail_verify_error" },
        { "other name", "the certificate is for another host name", "ssl.fail_verify_san" },
        { "revoked", "is revoked", "ssl.fail_verify_error" },
        { "not tls", "", "ssl.connection_error" },
    };

    [Theory]
    [MemberData(nameof(BadServers))]
    public async Task ServerWithABadCertificate_GetsNothing(string kind, string expected, string counter)
    {
        using var stranger = new TestAuthority("stranger");
        byte[] serial = [0x42, 1, 2, 3, 4, 5, 6, 7];
        await using var rig = await TlsRig.StartAsync(_ => Rule(), chain: c => c, cluster: c => c with
        {
            Tls = new UpstreamTlsConfig(new CommonTlsConfig { ValidationSecret = new("ca", Make) }, TlsRig.Name),
        });
        var trust = new ValidationContextConfig("ca", rig.Authority.Pem);
        rig.Discovery.Plane.Send("SDS ca", ("ca", kind == "revoked" ? trust with { Crl = rig.Authority.RevocationList(DateTimeOffset.UtcNow.AddDays(1), serial) } : trust));
        await using var client = await rig.DialAsync();
        await client.WriteAsync("secret"u8.ToArray());
        var leaf = Leaf.Host(kind == "other name" ? "other.test" : TlsRig.Name) with { Expired = kind == "expired", Serial = serial };
        if (kind == "not tls")
        {
            await using var plain = await rig.AcceptAsync();
            await plain.WriteAsync("220 hello, this is no TLS\r\n"u8.ToArray());
            await rig.RecordAsync("upstream_tls_failed");
        }
        else
        {
            var seen = "";
            try
            {
                await using var server = await rig.AcceptTlsAsync(leaf, kind == "stranger" ? stranger : null);
                seen = await TlsRig.ReadToEndAsync(server);
            }
            catch (Exception e) when (e is AuthenticationException or IOException)
            {
            }
            Assert.DoesNotContain("secret", seen, StringComparison.Ordinal);
        }
        Assert.Equal("!", await TlsRig.ReadToEndAsync(client));
        Assert.Contains(expected, (await rig.RecordAsync("upstream_tls_failed")).Fields["detail"], StringComparison.Ordinal);
        Assert.Equal((1, 1), (rig.ClusterStat(counter), rig.ClusterStat("upstream_cx_connect_fail")));
    }

    private static ConfigSourceConfig Make => Postern.Tests.Proxy.Discovery.Make.Plane;

    [Fact]
    public async Task ChainWithTlsOfItsOwn_WaitsForItsSecretAndThenTerminates()
    {
        await using var rig = await TlsRig.StartAsync(_ => Rule(), chain: c => c with
        {
            Tls = new DownstreamTlsConfig(new CommonTlsConfig { CertificateSecrets = [new("own", Make)], AlpnProtocols = ["h2", "http/1.1"] }, false, RequireSni: true, AllowResumption: true),
        });
        await RefusedAsync(rig, () => rig.DialTlsAsync(), "tls_secret_missing");
        Assert.Equal(1, rig.Stat("downstream_context_secrets_not_ready"));
        rig.Discovery.Plane.Send("SDS own", ("own", rig.Authority.Issue(Leaf.Host(TlsRig.Name)) with { Name = "own" }));
        var dialling = rig.DialTlsAsync(o => { o.ApplicationProtocols = [SslApplicationProtocol.Http11]; return o; });
        await using var server = await rig.AcceptAsync();
        await using var client = await dialling;
        Assert.Equal(SslApplicationProtocol.Http11, client.NegotiatedApplicationProtocol);
        await TlsRig.PassAsync(client, server);
        await RefusedAsync(rig, () => rig.DialTlsAsync(o => { o.TargetHost = ""; return o; }), "tls_handshake_failed", connects: 1); // require_sni
    }

    [Fact]
    public async Task Tls10_IsRefused()
    {
        await using var rig = await TlsRig.StartAsync(rig => Rule(rig.Terminate()));
        await using var client = await rig.DialAsync();
        await client.WriteAsync(Hello(TlsRig.Name, padding: 0, tls10: true));
        await TlsRig.ReadToEndAsync(client);
        Assert.NotEqual("", (await rig.RecordAsync("tls_handshake_failed")).Fields["detail"]);
        Assert.Equal((0, 1), (rig.Connects, rig.Stat(".ssl.connection_error")));
    }

    [Fact]
    public async Task ClientThatStopsInTheMiddle_IsLetGoAtTheDeadline()
    {
        await using var rig = await TlsRig.StartAsync(rig => Rule(rig.Terminate()), chain: c => c with { TlsByPolicy = true, HandshakeTimeout = TimeSpan.FromMilliseconds(200) });
        await using var client = await rig.DialAsync();
        await client.WriteAsync(Hello(TlsRig.Name, padding: 0, tls10: false));
        Assert.Contains("it did not end within 0.2 s", (await rig.RecordAsync("tls_handshake_failed")).Fields["detail"], StringComparison.Ordinal);
        Assert.Equal((0, 0), (rig.Connects, rig.Stat(".ssl.handshakes_active")));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(20_000, 1000)]
    public async Task HelloInManyPiecesAndRecords_IsReadAndAnswered(int padding, int piece)
    {
        await using var rig = await TlsRig.StartAsync(rig => Rule(rig.Terminate(), null, TlsRig.Name), listener: l => l with { ListenerFiltersTimeout = TlsRig.Patience });
        await using var client = await rig.DialAsync();
        client.Socket.NoDelay = true;
        var hello = Hello(TlsRig.Name, padding, tls10: false);
        for (var i = 0; i < hello.Length; i += piece)
        {
            await client.WriteAsync(hello.AsMemory(i, Math.Min(piece, hello.Length - i)));
        }
        var answer = new byte[6];
        await client.ReadExactlyAsync(answer, TlsRig.Deadline());
        Assert.Equal((0x16, 2), (answer[0], answer[5])); // a handshake record with a ServerHello (or a request for another one)
    }

    [OpenSslTheory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task OpenSslClient_TalksThroughAndItsSessionIsResumed(string version)
    {
        await using var rig = await TlsRig.StartAsync(rig => Rule(rig.Terminate()));
        var folder = Directory.CreateTempSubdirectory("postern-tls-").FullName;
        try
        {
            var ca = Path.Combine(folder, "ca.pem");
            await File.WriteAllBytesAsync(ca, rig.Authority.Pem.ToByteArray());
            var session = Path.Combine(folder, "session");
            foreach (var (flag, expected) in new[] { ("-sess_out", "New, TLS"), ("-sess_in", "Reused, TLS") })
            {
                var text = await TalkAsync(rig, ca, version, flag, session);
                Assert.Contains(expected, text, StringComparison.Ordinal);
                Assert.Contains("hello from the origin", text, StringComparison.Ordinal);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> TalkAsync(TlsRig rig, string ca, params string[] more)
    {
        var start = new ProcessStartInfo(OpenSslTheoryAttribute.Command) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["s_client", "-connect", rig.Endpoint.ToString()!, "-servername", TlsRig.Name, "-CAfile", ca, "-verify_return_error", .. more])
        {
            start.ArgumentList.Add(argument);
        }
        using var openssl = Process.Start(start)!;
        var output = openssl.StandardOutput.ReadToEndAsync(TlsRig.Deadline());
        var errors = openssl.StandardError.ReadToEndAsync(TlsRig.Deadline());
        await using (var server = await rig.AcceptAsync())
        {
            await server.WriteAsync("hello from the origin\n"u8.ToArray());
            server.Socket.Shutdown(SocketShutdown.Send);
            await TlsRig.ReadToEndAsync(server);
        }
        openssl.StandardInput.Close();
        await openssl.WaitForExitAsync(TlsRig.Deadline());
        return await output + await errors;
    }

    private static async Task<Postern.Tests.Proxy.InMemory.SeenRecord> RefusedAsync(TlsRig rig, Func<Task<SslStream>> dial, string reason, int connects = 0)
    {
        try
        {
            await using var client = await dial();
            Assert.Contains(await TlsRig.ReadToEndAsync(client), (string[])["", "!"]); // with TLS 1.3 a client is through before it is judged
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
        }
        var record = await rig.RecordAsync(reason);
        Assert.Equal((Postern.Records.EntryType.Denied, connects), (record.Type, rig.Connects));
        return record;
    }

    // A hello of our own: of TLS 1.2 or 1.0, with a server name, and padding (RFC 7685) that may make it longer than a record.
    private static byte[] Hello(string name, int padding, bool tls10)
    {
        var extensions = new List<byte>();
        var host = Encoding.ASCII.GetBytes(name);
        Extension(extensions, 0, [.. U16(host.Length + 3), 0, .. U16(host.Length), .. host]);
        Extension(extensions, 10, [0, 2, 0, 23]);
        Extension(extensions, 11, [1, 0]);
        Extension(extensions, 13, [0, 4, 4, 3, 8, 4]);
        if (padding > 0)
        {
            Extension(extensions, 21, new byte[padding]);
        }
        byte[] version = [3, (byte)(tls10 ? 1 : 3)];
        byte[] body = [.. version, .. RandomNumberGenerator.GetBytes(32), 0, 0, 4, 0xC0, 0x2B, 0xC0, 0x09, 1, 0, .. U16(extensions.Count), .. extensions];
        byte[] message = [1, (byte)(body.Length >> 16), .. U16(body.Length & 0xFFFF), .. body];
        var records = new List<byte>();
        foreach (var part in message.Chunk(4000))
        {
            records.AddRange([0x16, 3, 1, .. U16(part.Length), .. part]);
        }
        return [.. records];
    }

    private static void Extension(List<byte> into, int type, byte[] content) => into.AddRange([.. U16(type), .. U16(content.Length), .. content]);

    private static byte[] U16(int value) => [(byte)(value >> 8), (byte)value];
}
