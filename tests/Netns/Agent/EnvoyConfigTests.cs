using System;
using System.Linq;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Agent;

/// <summary>A CiliumEnvoyConfig whole: its listener gets a port, its cluster the endpoints of a Service, its routes come by RDS, and a policy sends traffic there.</summary>
public sealed class EnvoyConfigTests : IDisposable
{
    private const string Service = """
        apiVersion: v1
        kind: Service
        metadata: {name: deathstar}
        spec:
          selector: {class: deathstar}
          ports: [{name: http, port: 80, targetPort: 80}]
        """;

    private const string Config = """
        apiVersion: cilium.io/v2
        kind: CiliumEnvoyConfig
        metadata:
          name: bridge
        spec:
          backendServices: [{name: deathstar, number: ["80"]}]
          resources:
          - "@type": type.googleapis.com/envoy.config.listener.v3.Listener
            name: front
            filter_chains:
            - filters:
              - name: envoy.filters.network.http_connection_manager
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                  stat_prefix: front
                  rds: {route_config_name: routes}
                  use_remote_address: true
                  skip_xff_append: true
                  http_filters:
                  - name: envoy.filters.http.router
                    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          - "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
            name: routes
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {prefix: /foo}
                route: {cluster: "default/deathstar:80", prefix_rewrite: /rewritten}
          - "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
            name: "default/deathstar:80"
            connect_timeout: 5s
            lb_policy: ROUND_ROBIN
            type: EDS
        """;

    private const string Leash = Policies.Egress + "\n" + """
              listener:
                envoyConfig: {kind: CiliumEnvoyConfig, name: bridge}
                name: front
        """;

    private readonly AgentRig _rig = new();
    private readonly Origin _deathstar;

    public EnvoyConfigTests()
    {
        _deathstar = _rig.Net.AddOrigin();
        _rig.Write("endpoints.yaml", AgentRig.Endpoints("deathstar", "tiefighter", "xwing"));
    }

    public void Dispose() => _rig.Dispose();

    [NetnsFact]
    public void PolicyNamesAListener_TrafficGoesByItsRoutesToTheService()
    {
        StartWithConfig();

        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "GET", "/foo/1"), StringComparison.Ordinal);
        Assert.EndsWith("GET /rewritten/1", _deathstar.Requests.Last(), StringComparison.Ordinal);
        Assert.StartsWith("404", _rig.Ask(AgentRig.Tiefighter, "GET", "/bar"), StringComparison.Ordinal);
        using var other = _rig.Net.AddOrigin(8080);
        Assert.StartsWith("exit", _rig.Net.Curl("-m", "3", "--interface", AgentRig.Tiefighter, $"http://{ProxyRig.Server}:8080/"), StringComparison.Ordinal);
        Assert.Empty(other.Requests);
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Xwing, "GET", "/not-leashed"), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void ProxyRestarts_TheListenerIsBackOnItsPort()
    {
        StartWithConfig();
        var rules = string.Join('\n', _rig.Status().GetProperty("steering").GetProperty("rules").EnumerateArray());
        var pid = _rig.ProxyPid();

        _rig.Kill("KILL", pid);

        Patience.Until(() => _rig.Ask(AgentRig.Tiefighter, "GET", "/foo/2").StartsWith("200 ", StringComparison.Ordinal), () => _rig.Cli("status"));
        Assert.Equal(rules, string.Join('\n', _rig.Status().GetProperty("steering").GetProperty("rules").EnumerateArray()));
    }

    [NetnsFact]
    public void ConfigIsRefusedByTheProxy_StatusSaysWhyAndPolicyGoesOnChanging()
    {
        StartWithConfig();
        _rig.Write("bad.yaml", Config.Replace("name: bridge", "name: bad", StringComparison.Ordinal).Replace("backendServices", "backendServices", StringComparison.Ordinal)
            .Replace("type.googleapis.com/envoy.extensions.filters.http.router.v3.Router", "type.googleapis.com/envoy.extensions.filters.http.nonsense.v3.Nonsense", StringComparison.Ordinal));
        Patience.Until(() => _rig.Cli("status").Contains("onsense", StringComparison.Ordinal), () => _rig.Cli("status"));
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "GET", "/foo/3"), StringComparison.Ordinal);

        _rig.Write("rule1.yaml", Policies.L7);

        Patience.Until(() => _rig.Ask(AgentRig.Tiefighter, "GET", "/foo/4").StartsWith("403", StringComparison.Ordinal), () => _rig.Cli("status"));
        _rig.Remove("bad.yaml");
        Patience.Until(() => _rig.Cli("status").Contains("enforced (revision", StringComparison.Ordinal) || !_rig.Cli("status").Contains("onsense", StringComparison.Ordinal), () => _rig.Cli("status"));
    }

    private void StartWithConfig()
    {
        _rig.Write("config.yaml", Service + "\n---\n" + Config);
        _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("leash.yaml", Leash);
    }
}
