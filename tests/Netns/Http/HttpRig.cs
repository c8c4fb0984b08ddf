using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Foreign;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Http;

/// <summary>
/// One proxy in front of foreign servers, for all tests with foreign HTTP clients. Its one listener takes every port: plain bytes, and TLS that it ends with a certificate
/// for <see cref="Name"/>; both go on in clear text, to where the client wanted. Policy lets identity 1001 reach paths that begin with /open and the calls of test.Door.
/// Made by the first test that needs it, servers too: where tests are skipped nothing is started.
/// </summary>
public sealed class HttpRig : IDisposable
{
    internal const string Name = "door.test";

    /// <summary>nginx: HTTP/1.1 in clear text.</summary>
    internal const int Http1Port = 80;

    /// <summary>nginx: HTTP/2 in clear text.</summary>
    internal const int Http2Port = 81;

    internal const int GrpcPort = 50051;
    internal const int NghttpPort = 8081;
    internal const int NodePort = 8082;
    internal const int WebSocketPort = 8083;

    private static readonly int[] s_ports = [Http1Port, Http2Port, GrpcPort, NghttpPort, NodePort, WebSocketPort];

    private readonly Dictionary<int, ForeignServer> _servers = [];
    private readonly Lazy<ProxyRig> _rig;

    public HttpRig() => _rig = new Lazy<ProxyRig>(Begin);

    internal NetworkNamespace Client => _rig.Value.Net.Client;

    internal string Ca { get; private set; } = "";

    /// <summary>What nginx serves and stores.</summary>
    internal string Www => Path.Combine(_rig.Value.Folder, "www", "open");

    /// <summary>nginx on both of its ports.</summary>
    internal ForeignServer Nginx => Server(Http1Port, "nginx", "-e", "stderr", "-c", _rig.Value.File("nginx.conf"));

    internal ForeignServer Grpc => Server(GrpcPort, Programs.Python, Programs.Script("grpc_server.py"), $"0.0.0.0:{GrpcPort}");

    internal ForeignServer Nghttpd => Server(NghttpPort, "nghttpd", "--no-tls", "-d", Path.GetDirectoryName(Www)!, "--trailer", "x-sum: 42", $"{NghttpPort}");

    internal ForeignServer Node => Server(NodePort, "node", Programs.Script("h2_server.js"), $"{NodePort}");

    internal ForeignServer WebSocket => Server(WebSocketPort, Programs.Python, Programs.Script("ws_server.py"), ProxyRig.Server, $"{WebSocketPort}");

    /// <summary>Runs a command at the client; gives its output without the last line end, or all of both outputs if it fails.</summary>
    internal string Run(string command, params string[] arguments)
    {
        var outcome = Client.Run(command, arguments);
        return outcome.ExitCode == 0 ? outcome.Output.TrimEnd() : $"exit {outcome.ExitCode}: {outcome.Output}{outcome.Error}";
    }

    internal string RunPython(string script, params string[] arguments) => Run(Programs.Python, [Programs.Script(script), .. arguments]);

    internal JsonElement WaitForRecord(Func<JsonElement, bool> match) => _rig.Value.WaitForRecord(match);

    /// <summary>Waits for the record of the answer to a request for that path.</summary>
    internal JsonElement WaitForResponse(string path) => WaitForRecord(r => r.Text("entry_type") == "Response" && r.Text("http.path") == path);

    /// <summary>Members of a record, blanks between; a header with a colon in front of its name.</summary>
    internal static string Line(JsonElement record, params string[] members) => string.Join(' ', members.Select(m => m[0] == ':' ? Header(record, m[1..]) : record.Text(m)));

    public void Dispose()
    {
        foreach (var server in _servers.Values)
        {
            server.Dispose();
        }
        if (_rig.IsValueCreated)
        {
            _rig.Value.Dispose();
        }
    }

    private static string Header(JsonElement record, string name)
    {
        foreach (var pair in record.GetProperty("http").GetProperty("response_headers").EnumerateArray())
        {
            if (pair[0].ToString() == name)
            {
                return pair[1].ToString();
            }
        }
        return "";
    }

    private ForeignServer Server(int port, string command, params string[] arguments)
    {
        if (!_servers.TryGetValue(port, out var server))
        {
            _servers.Add(port, server = new ForeignServer(_rig.Value.Net.Server, port, command, arguments));
        }
        return server;
    }

    private ProxyRig Begin()
    {
        var rig = new ProxyRig();
        using var certificates = new Certificates(rig.Folder);
        Ca = certificates.Ca;
        var (chain, key) = certificates.Issue(Name, ProxyRig.Server);
        Directory.CreateDirectory(Path.Combine(rig.Folder, "www", "open"));
        File.WriteAllText(rig.File("nginx.conf"), NginxText.Http(rig.Folder));
        rig.Listener = rig.Listener with
        {
            HttpExtra = "\"http2_protocol_options\":{\"allow_connect\":true},\"upgrade_configs\":[{\"upgrade_type\":\"websocket\"}],",
            TlsSocket = TlsText.Socket("DownstreamTlsContext", $$"""
                {"common_tls_context":{"alpn_protocols":["h2,http/1.1"],"tls_certificates":[{"certificate_chain":{"filename":"{{chain}}"},"private_key":{"filename":"{{key}}"} }]} }
                """),
        };
        const string Rule = """
            {"name":"open","remote_policies":[1001],"http_rules":{"http_rules":[{"headers":[{"name":":path","string_match":{"safe_regex":{"regex":"/(open|test.Door).*"} } }]}]} }
            """;
        rig.PutPolicy(ConfigText.ServerAccepts([.. s_ports.Select(p => ConfigText.Port(p, Rule))]));
        // ProxyRig.Start steers port 80.
        rig.Start([.. s_ports.Where(p => p != 80).SelectMany(p => (string[])["--steer", $"port={p},proxy-port=15001"])]);
        return rig;
    }
}
