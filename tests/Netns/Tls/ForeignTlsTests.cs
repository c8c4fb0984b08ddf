using System;
using Postern.Tests.Netns.Foreign;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Tls;

/// <summary>openssl and curl in front, nginx behind.</summary>
public sealed class ForeignTlsTests(TlsRig rig) : IClassFixture<TlsRig>
{
    private const string Needs = "openssl curl nginx";

    [ForeignTheory(Needs)]
    [InlineData("-tls1_2 -alpn h2", "TLSv1.2", "ALPN protocol: h2")]
    [InlineData("-tls1_3 -alpn h2,http/1.1", "TLSv1.3", "ALPN protocol: h2")]
    [InlineData("-tls1_3 -alpn http/1.1", "TLSv1.3", "ALPN protocol: http/1.1")]
    [InlineData("-tls1_3", "TLSv1.3", "No ALPN negotiated")]
    public void Terminated_HandshakeSucceeds(string options, string version, string alpn)
    {
        var seen = rig.Handshake(80, $"-servername {TlsRig.Name} {options}");

        Assert.Contains($"New, {version}, Cipher is", seen, StringComparison.Ordinal);
        Assert.Contains(alpn, seen, StringComparison.Ordinal);
        Assert.Contains("Verify return code: 0 (ok)", seen, StringComparison.Ordinal);
    }

    [ForeignTheory(Needs)]
    [InlineData("tls10.test", "-tls1 -cipher DEFAULT@SECLEVEL=0")]
    [InlineData("tls11.test", "-tls1_1 -cipher DEFAULT@SECLEVEL=0")]
    [InlineData("alpn.test", "-alpn smtp")]
    [InlineData("cipher.test", "-tls1_2 -cipher AES128-SHA@SECLEVEL=0")]
    public void Terminated_HandshakeIsRefusedWithARecord(string name, string options)
    {
        Assert.StartsWith("exit 1", rig.Handshake(80, $"-servername {name} {options}"), StringComparison.Ordinal);

        var record = rig.WaitForRecord(r => r.Text("sni") == name);
        Assert.Equal(("tls_handshake_failed", "1001"), (record.Text("reason"), record.Text("source_security_id")));
    }

    [ForeignFact(Needs)]
    public void Terminated_RequestsAreJudged()
    {
        Assert.Equal($"{ProxyRig.Client} HTTP/1.1 /public|200", Curl(80, "/public"));
        Assert.Equal("Access denied\r\n|403", Curl(80, "/secret"));
    }

    [ForeignFact(Needs)]
    public void ClientCertificateIsWanted_OneOfTheCaPasses() =>
        Assert.EndsWith("HTTP/1.1 /public|200", Curl(82, "/public", "--cert", rig.File("client.test.pem"), "--key", rig.File("client.test.key")), StringComparison.Ordinal);

    [ForeignTheory(Needs)]
    [InlineData("")]
    [InlineData("stranger.test")]
    public void ClientCertificateIsWanted_NoneOrAStrangersIsRefused(string name)
    {
        string[] certificate = name.Length == 0 ? [] : ["--cert", rig.File(name + ".pem"), "--key", rig.File(name + ".key")];
        var before = rig.CountRecords("tls_handshake_failed");

        // The client may think its handshake done (TLS 1.3 is so made); its request goes nowhere.
        Assert.EndsWith("|000", Curl(82, "/public", certificate), StringComparison.Ordinal);

        rig.WaitForCount("tls_handshake_failed", before + 1);
    }

    [ForeignFact(Needs)]
    public void Passthrough_AllowedNameReachesTheServersOwnTls()
    {
        Assert.Contains("Verify return code: 0 (ok)", rig.Handshake(443, $"-servername {TlsRig.Name}"), StringComparison.Ordinal);
        Assert.Equal($"HTTP/2.0 TLSv1.3 {TlsRig.Name} /any|200", Curl(443, "/any"));
    }

    [ForeignFact(Needs)]
    public void Passthrough_OtherNameIsResetWithARecord()
    {
        Assert.StartsWith("exit 1", rig.Handshake(443, "-servername door.example"), StringComparison.Ordinal);

        Assert.Equal("server_name_mismatch", rig.WaitForRecord(r => r.Text("sni") == "door.example").Text("reason"));
    }

    [ForeignTheory(Needs)]
    [InlineData(TlsRig.Verified, "HTTP/1.1")]
    [InlineData(TlsRig.OverHttp2, "HTTP/2.0")]
    public void Originated_ServerIsVerified(int port, string protocol) =>
        Assert.Equal($"{protocol} TLSv1.3 {TlsRig.Name} /public|200", Node(port, "/public"));

    [ForeignTheory(Needs)]
    [InlineData(TlsRig.WrongCa)]
    [InlineData(TlsRig.WrongName)]
    public void Originated_ServerThatFailsVerification_Gets503WithTheReason(int port)
    {
        var path = $"/public/{port}";

        Assert.Equal("upstream connect error: TLS failure|503", Node(port, path).ReplaceLineEndings(""));

        var record = rig.WaitForRecord(r => r.Text("http.path") == path && r.Text("http.status") == "503");
        Assert.Equal("upstream_tls_failed", record.Text("reason"));
        Assert.NotEqual("", record.Text("detail"));
    }

    private string Curl(int port, string path, params string[] more) =>
        rig.Run("curl", ["-s", "-m", "15", "-w", "|%{http_code}", "--cacert", rig.File("ca.pem"), "--resolve", $"{TlsRig.Name}:{port}:{ProxyRig.Server}", .. more, $"https://{TlsRig.Name}:{port}{path}"]);

    private string Node(int port, string path) => rig.Run("curl", "-s", "-m", "15", "-w", "|%{http_code}", $"http://{ProxyRig.Server}:{port}{path}");
}
