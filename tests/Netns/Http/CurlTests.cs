using System;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using Postern.Tests.Netns.Foreign;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Http;

/// <summary>curl in front, nginx behind.</summary>
[Collection(nameof(ForeignHttp))]
public sealed class CurlTests(HttpRig rig)
{
    private const string Needs = "curl nginx";
    private const int Large = 8 << 20;

    /// <summary>A way to speak, the server's port, what the client speaks then, what the server gets, what the record says.</summary>
    public static TheoryData<string, int, string, string, string> Ways => new()
    {
        { "--http1.0", 80, "1.1", "HTTP/1.0", "HTTP/1.0" },
        { "--http1.1", 80, "1.1", "HTTP/1.1", "HTTP/1.1" },
        { "--http2", 80, "2", "HTTP/1.1", "HTTP/2" }, // by Upgrade: h2c; the server is spoken to as the client began
        { "--http2-prior-knowledge", 81, "2", "HTTP/2.0", "HTTP/2" },
        { "--http1.1 tls", 80, "1.1", "HTTP/1.1", "HTTP/1.1" },
        { "--http2 tls", 81, "2", "HTTP/2.0", "HTTP/2" },
    };

    [ForeignTheory(Needs)]
    [MemberData(nameof(Ways))]
    public void Get_ReachesTheServerAsTheClientSpoke(string way, int port, string spoken, string seen, string recorded)
    {
        var path = $"/open/who?{way.Replace(' ', '+')}";

        Assert.Equal($"{ProxyRig.Client} {seen} GET {path}|200 {spoken}", Ask(way, port, path));

        var record = rig.WaitForResponse(path);
        var tls = way.Contains("tls", StringComparison.Ordinal);
        Assert.Equal(
            $"forwarded allowed {recorded} {(tls ? "https" : "http")} 200 {(tls ? HttpRig.Name : "")}",
            HttpRig.Line(record, "verdict", "reason", "http.protocol", "http.scheme", "http.status", "sni"));
    }

    [ForeignTheory(Needs)]
    [MemberData(nameof(Ways))]
    public void Denied_Gets403InTheClientsProtocol(string way, int port, string spoken, string seen, string recorded)
    {
        _ = seen;
        var path = $"/secret?{way.Replace(' ', '+')}";

        Assert.Equal($"Access denied\r\n|403 {spoken}", Ask(way, port, path));

        Assert.Equal($"denied no_http_rule_matched {recorded} 403", HttpRig.Line(rig.WaitForResponse(path), "verdict", "reason", "http.protocol", "http.status"));
    }

    [ForeignTheory(Needs)]
    [InlineData("--http1.1", 80)]
    [InlineData("--http2-prior-knowledge", 81)]
    [InlineData("--http2 tls", 81)]
    public void LargeUploadAndDownload_AreIntact(string way, int port)
    {
        _ = rig.Nginx;
        var sent = RandomNumberGenerator.GetBytes(Large);
        var name = "large" + way.Replace(' ', '+');
        var (from, to) = (Path.Combine(rig.Www, "..", name), Path.Combine(rig.Www, "..", name + ".got"));
        File.WriteAllBytes(from, sent);

        Assert.EndsWith("|201 " + (port == 81 ? "2" : "1.1"), Ask(way, port, "/open/" + name, "-H", "Expect: 100-continue", "-T", from), StringComparison.Ordinal);
        Assert.Equal(SHA256.HashData(sent), SHA256.HashData(File.ReadAllBytes(Path.Combine(rig.Www, name))));

        Ask(way, port, "/open/" + name, "-o", to);
        Assert.Equal(SHA256.HashData(sent), SHA256.HashData(File.ReadAllBytes(to)));
    }

    /// <summary>Over HTTP/2 curl and nginx often do not manage that even with nothing between; NodeTests has it.</summary>
    [ForeignFact(Needs)]
    public void ServerAnswersBeforeTheUploadEnds_ClientGetsTheAnswer()
    {
        _ = rig.Nginx;
        var from = Path.Combine(rig.Www, "..", "limited");
        File.WriteAllBytes(from, new byte[Large]);

        Assert.Contains("|413 ", Ask("--http1.1", 80, "/open/limited/x", "-H", "Expect:", "-T", from), StringComparison.Ordinal);
    }

    [ForeignFact(Needs)]
    public void ExpectContinue_IsTheServersToAnswer()
    {
        _ = rig.Nginx;
        var from = Path.Combine(rig.Www, "..", "expect");
        File.WriteAllText(from, "body");

        var said = Ask("--http1.1", 80, "/open/expect", "-H", "Expect: 100-continue", "-D", "-", "-T", from);

        Assert.StartsWith("HTTP/1.1 100 Continue\n\nHTTP/1.1 201 Created\n", said.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [ForeignTheory(Needs)]
    [InlineData("--http1.1", 80)]
    [InlineData("--http2-prior-knowledge", 81)]
    public void Head_HasTheLengthAndNoBody(string way, int port)
    {
        _ = rig.Nginx;
        File.WriteAllText(Path.Combine(rig.Www, "seven"), "1234567");

        var head = Ask(way, port, "/open/seven", "-I").Split('\n').Select(l => l.Trim()).ToList();

        Assert.Contains(head, l => l.Equals("content-length: 7", StringComparison.OrdinalIgnoreCase));
        Assert.StartsWith("|200", head[^1], StringComparison.Ordinal);
    }

    [ForeignFact(Needs)]
    public void Trailer_IsPassedOn()
    {
        _ = rig.Nginx;
        Directory.CreateDirectory(Path.Combine(rig.Www, "trailer"));
        File.WriteAllText(Path.Combine(rig.Www, "trailer", "file"), "body\n");

        Assert.Contains("body\nX-Sum: 42\n|200", Ask("--http1.1", 80, "/open/trailer/file", "-D", "-").ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    // "body|status version". With "tls" behind the option the same port is spoken to over TLS.
    private string Ask(string way, int port, string path, params string[] more)
    {
        _ = rig.Nginx;
        var words = way.Split(' ');
        string[] tls = ["--cacert", rig.Ca, "--resolve", $"{HttpRig.Name}:{port}:{ProxyRig.Server}"];
        return words.Length > 1
            ? rig.Run("curl", ["-s", "-m", "15", words[0], "-w", "|%{http_code} %{http_version}", .. tls, .. more, $"https://{HttpRig.Name}:{port}{path}"])
            : rig.Run("curl", ["-s", "-m", "15", words[0], "-w", "|%{http_code} %{http_version}", .. more, $"http://{ProxyRig.Server}:{port}{path}"]);
    }
}
