using System;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Postern.Tests.Netns.Proxy;
using Postern.Xds.Discovery;

namespace Postern.Tests.Netns.ControlPlane;

/// <summary>A node whose proxy is driven by <see cref="ForeignControlPlane"/>: listeners, clusters, policy and identities come from it.</summary>
internal sealed class ControlPlaneRig : IDisposable
{
    internal const string Apart = """{"resource_api_version":"V3","initial_fetch_timeout":"30s","api_config_source":{"api_type":"GRPC","transport_api_version":"V3","set_node_on_first_message_only":true,"grpc_services":[{"envoy_grpc":{"cluster_name":"xds"} }]} }""";
    internal const string ApartDelta = """{"resource_api_version":"V3","initial_fetch_timeout":"30s","api_config_source":{"api_type":"DELTA_GRPC","transport_api_version":"V3","set_node_on_first_message_only":true,"grpc_services":[{"envoy_grpc":{"cluster_name":"xds"} }]} }""";
    internal const string Ads = """{"resource_api_version":"V3","initial_fetch_timeout":"30s","ads":{} }""";

    private readonly string _source;
    private readonly string _adsType;
    private PosternProcess? _proxy;

    /// <param name="source">One of the constants: where everything comes from.</param>
    /// <param name="adsType">GRPC or DELTA_GRPC, with <see cref="Ads"/>.</param>
    internal ControlPlaneRig(string source, string adsType = "GRPC")
    {
        _source = source;
        _adsType = adsType;
        Node.Listener = new ListenerText { PolicySource = source };
    }

    /// <summary>By name, for theories: apart, apart-delta, ads or ads-delta.</summary>
    internal static ControlPlaneRig Of(string form) => form switch
    {
        "apart" => new ControlPlaneRig(Apart),
        "apart-delta" => new ControlPlaneRig(ApartDelta),
        "ads" => new ControlPlaneRig(Ads),
        _ => new ControlPlaneRig(Ads, "DELTA_GRPC"),
    };

    /// <summary>Where everything comes from, as JSON.</summary>
    internal string Source => _source;

    internal ProxyRig Node { get; } = new();

    internal string Socket => Node.File("xds.sock");

    internal string AdminSocket => Node.File("admin.sock");

    internal ForeignControlPlane StartServer(params string[] options) => Node.Own(ForeignControlPlane.Start(Socket, options));

    /// <summary>The proxy, started; not ready before it has its listeners.</summary>
    internal PosternProcess StartProxy(params string[] more)
    {
        var ads = _source == Ads
            ? $$"""
                "ads_config":{"api_type":"{{_adsType}}","transport_api_version":"V3","set_node_on_first_message_only":true,"grpc_services":[{"envoy_grpc":{"cluster_name":"xds"} }]},
                """
            : "";
        Node.Put("bootstrap.json", $$"""
            {"node":{"id":"host~127.0.0.1~no-id~localdomain","cluster":"test"},
             "admin":{"address":{"pipe":{"path":"{{AdminSocket}}"} } },
             "static_resources":{"clusters":[
              {"name":"xds","type":"STATIC","connect_timeout":"2s",
               "typed_extension_protocol_options":{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions":
                {"@type":"type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions","explicit_http_config":{"http2_protocol_options":{} } } },
               "load_assignment":{"cluster_name":"xds","endpoints":[{"lb_endpoints":[{"endpoint":{"address":{"pipe":{"path":"{{Socket}}"} } } }]}]} }]},
             "dynamic_resources":{ {{ads}} "lds_config":{{_source}},"cds_config":{{_source}} } }
            """);
        return _proxy = Node.Run(["--steer", ProxyRig.Steer80, "--state-dir", Node.File("state"), .. more]);
    }

    /// <summary>Publishes a world in which client 1001 may GET what matches <paramref name="path"/>, and waits until it is in force.</summary>
    internal void PublishWorld(ForeignControlPlane server, string path = "/public.*")
    {
        server.Publish(ResourceType.NetworkPolicyHosts, Resources.Hosts);
        server.Publish(ResourceType.NetworkPolicy, PolicyOf(path));
        server.Publish(ResourceType.Cluster, Resources.Original);
        server.Publish(ResourceType.Listener, Resources.Listener(ConfigText.Steered(Node.Listener)));
    }

    internal static (string Name, IMessage Message) PolicyOf(string path) =>
        Resources.Policy(ConfigText.ServerAccepts(ConfigText.Port(80, ConfigText.HttpRule(1001, path))));

    /// <summary>A request to the admin socket: the body.</summary>
    internal string Admin(string path, params string[] options)
    {
        var outcome = Node.Net.Node.Run("curl", ["-s", "-m", "15", "--unix-socket", AdminSocket, .. options, "http://localhost" + path]);
        return outcome.Output;
    }

    /// <summary>The status, as 200.</summary>
    internal string AdminStatus(string method, string path) => Admin(path, "-X", method, "-o", "/dev/null", "-w", "%{http_code}");

    /// <summary>A request from the node to a listener on its loopback: an answer, "reset", "closed", or "refused" where nobody listens.</summary>
    internal string AskLoopback(int port, string path = "/")
    {
        try
        {
            return HttpClientSocket.Try(Node.Net.Node, $"127.0.0.1:{port}", path);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return "refused";
        }
    }

    /// <summary>Waits until an answer on a loopback listener begins with that.</summary>
    internal void WaitLoopback(int port, string path, string expected)
    {
        var got = "";
        Patience.Until(() => (got = AskLoopback(port, path)).StartsWith(expected, StringComparison.Ordinal), () => $":{port}{path}: {got}, not {expected}\n{Admin("/xds")}");
    }

    /// <summary>Waits until a page says that.</summary>
    internal void WaitPage(string path, string text)
    {
        var page = "";
        Patience.Until(() => (page = Admin(path)).Contains(text, StringComparison.Ordinal), () => $"no '{text}' in {path}:\n{page}");
    }

    /// <summary>Waits until /ready says LIVE and what is steered goes through the proxy, which comes a little later: a connection of the time between goes past it.</summary>
    internal void WaitLive()
    {
        Patience.Until(() => Admin("/ready").StartsWith("LIVE", StringComparison.Ordinal), () => "not LIVE: " + Admin("/ready") + Admin("/xds"));
        _proxy?.WaitReady();
    }

    public void Dispose() => Node.Dispose();
}
