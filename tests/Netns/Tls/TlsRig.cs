using System;
using System.Linq;
using System.Text.Json;
using Postern.Tests.Netns.Foreign;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Tls;

/// <summary>
/// One proxy between openssl or curl and an nginx that has TLS on 443 and clear text on 80 and 82. TLS to 80 ends at the proxy, TLS to 82 too and wants a client's certificate,
/// TLS to 443 passes if it names *.test. Clear text to <see cref="Verified"/> and the ports behind it goes to nginx over TLS that begins at the proxy.
/// </summary>
public sealed class TlsRig : IDisposable
{
    internal const string Name = "door.test";

    /// <summary>The cluster trusts nginx's CA and wants its name.</summary>
    internal const int Verified = 7001;

    internal const int WrongCa = 7002;
    internal const int WrongName = 7003;
    internal const int OverHttp2 = 7004;

    private static readonly (int Port, string Cluster)[] s_originating = [(Verified, "verified"), (WrongCa, "wrong-ca"), (WrongName, "wrong-name"), (OverHttp2, "http2")];

    private readonly Lazy<ProxyRig> _rig;
    private ForeignServer? _nginx;

    public TlsRig() => _rig = new Lazy<ProxyRig>(Begin);

    /// <summary>A file of the folder with the certificates: ca.pem, other.pem, client.test.pem, client.test.key, stranger.test.pem, stranger.test.key.</summary>
    internal string File(string name) => _rig.Value.File(name);

    internal string Run(string command, params string[] arguments)
    {
        var outcome = _rig.Value.Net.Client.Run(command, arguments);
        return outcome.ExitCode == 0 ? outcome.Output.TrimEnd() : $"exit {outcome.ExitCode}: {outcome.Output}{outcome.Error}";
    }

    /// <summary>A handshake by openssl's client, which then closes. All that it printed.</summary>
    internal string Handshake(int port, string options) =>
        Run("sh", "-c", $"exec openssl s_client -connect {ProxyRig.Server}:{port} -CAfile {File("ca.pem")} -verify_return_error {options} </dev/null");

    internal int CountRecords(string reason) => _rig.Value.ReadRecords().Count(r => r.Text("reason") == reason);

    internal void WaitForCount(string reason, int count) => Patience.Until(() => CountRecords(reason) >= count, () => $"{CountRecords(reason)} records of {reason}, not {count}");

    internal JsonElement WaitForRecord(Func<JsonElement, bool> match) => _rig.Value.WaitForRecord(match);

    public void Dispose()
    {
        _nginx?.Dispose();
        if (_rig.IsValueCreated)
        {
            _rig.Value.Dispose();
        }
    }

    private ProxyRig Begin()
    {
        var rig = new ProxyRig();
        using var certificates = new Certificates(rig.Folder);
        using var strangers = new Certificates(rig.Folder, "other");
        var (chain, key) = certificates.Issue(Name, ProxyRig.Server);
        certificates.Issue("client.test");
        strangers.Issue("stranger.test");
        System.IO.File.WriteAllText(rig.File("nginx.conf"), NginxText.Tls(rig.Folder, chain, key));
        _nginx = new ForeignServer(rig.Net.Server, 443, "nginx", "-e", "stderr", "-c", rig.File("nginx.conf"));

        var own = $$"""
            "alpn_protocols":["h2,http/1.1"],"tls_certificates":[{"certificate_chain":{"filename":"{{chain}}"},"private_key":{"filename":"{{key}}"} }]
            """;
        var ends = TlsText.Socket("DownstreamTlsContext", $$"""{"common_tls_context":{ {{own}} } }""");
        var mutual = TlsText.Socket("DownstreamTlsContext", $$"""
            {"require_client_certificate":true,"common_tls_context":{ {{own}},"validation_context":{"trusted_ca":{"filename":"{{certificates.Ca}}"} } } }
            """);
        var steered = rig.Listener with { Name = "ends", Port = 15001, ProxyId = 15001, TlsSocket = ends, Cluster = "nginx" };
        rig.Put("bootstrap.json", ConfigText.Bootstrap(
            [
                ConfigText.Steered(steered),
                ConfigText.Steered(steered with { Name = "mutual", Port = 15002, ProxyId = 15002, TlsSocket = mutual }),
                ConfigText.Steered(steered with { Name = "passes", Port = 15003, ProxyId = 15003, TlsSocket = "" }),
                .. s_originating.Select((to, i) => ConfigText.Steered(steered with { Name = to.Cluster, Port = 15004 + i, ProxyId = 15004 + i, TlsSocket = "", Cluster = to.Cluster })),
            ],
            [
                ConfigText.OriginalDst,
                ConfigText.Static("nginx", ProxyRig.Server, 80),
                Cluster("verified", certificates.Ca, Name),
                Cluster("wrong-ca", strangers.Ca, Name),
                Cluster("wrong-name", certificates.Ca, "gate.test"),
                Cluster("http2", certificates.Ca, Name, ",\"http2_protocol_options\":{}", ",\"alpn_protocols\":[\"h2\"]"),
            ]));
        int[] http = [80, 82, .. s_originating.Select(to => to.Port)];
        rig.PutPolicy(ConfigText.ServerAccepts(
            [.. http.Select(p => ConfigText.Port(p, ConfigText.HttpRule(1001, "/public.*"))), ConfigText.Port(443, ConfigText.Rule(1001, ",\"server_names\":[\"*.test\"]"))]));
        int[] ports = [80, 82, 443, .. s_originating.Select(to => to.Port)]; // to the listeners in order
        rig.Run([.. ports.SelectMany((p, i) => (string[])["--steer", $"port={p},proxy-port={15001 + i}"])]).WaitReady();
        return rig;
    }

    private static string Cluster(string name, string ca, string serverName, string extra = "", string common = "")
    {
        var socket = TlsText.Socket("UpstreamTlsContext", $$"""
            {"sni":"{{serverName}}","common_tls_context":{"validation_context":{"trusted_ca":{"filename":"{{ca}}"} } {{common}} } }
            """);
        return ConfigText.Static(name, ProxyRig.Server, 443).TrimEnd()[..^1] + $",\"transport_socket\":{socket}{extra} }}";
    }
}
