using System;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Postern.Xds;
using Postern.Xds.Config;

namespace Postern.Tests.Xds;

/// <summary>Bootstraps that name control planes.</summary>
public class BootstrapSourcesTests
{
    private static BootstrapConfig Load(string text) => BootstrapLoader.Load(Encoding.UTF8.GetBytes(text), "b.yaml");

    private static BootstrapConfig LoadFile(params string[] path) => BootstrapLoader.LoadFile(Path.Combine([SharedFiles.RepositoryRoot, .. path]));

    private static string Refused(string text) => Assert.Throws<XdsConfigException>(() => Load(text)).Message;

    private const string Clusters = """
        static_resources:
          clusters:
          - name: cp
            load_assignment:
              cluster_name: cp
              endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: 18000 } } } }] }]
          - name: dst
            type: ORIGINAL_DST
            lb_policy: CLUSTER_PROVIDED

        """;

    private static string Source(string more = "") =>
        $"api_config_source: {{ api_type: GRPC, grpc_services: [{{ envoy_grpc: {{ cluster_name: cp }} }}] }}{more}";

    [Fact]
    public void DaemonSetBootstrap_Loads()
    {
        var config = LoadFile("tests", "Xds", "Data", "cilium-daemonset.yaml");
        var source = new GrpcSourceConfig("xds-grpc-cilium", DiscoveryVariant.StateOfTheWorld, TimeSpan.FromSeconds(30));
        Assert.Equal((source, source, null), (config.LdsSource, config.CdsSource, config.AdsSource));
        Assert.Equal(new UnixDomainSocketEndPoint("/var/run/cilium/envoy/sockets/admin.sock"), config.AdminAddress);
        Assert.Equal(50000, config.MaxDownstreamConnections);
        Assert.Equal(
            ["ingress-cluster", "egress-cluster-tls", "egress-cluster", "ingress-cluster-tls", "xds-grpc-cilium", "/envoy-admin"],
            config.StaticClusters.Select(c => c.Name));
        Assert.Equal(
            [ClusterHttpProtocol.Downstream, ClusterHttpProtocol.Downstream, ClusterHttpProtocol.Downstream, ClusterHttpProtocol.Downstream, ClusterHttpProtocol.Http2, ClusterHttpProtocol.Http1],
            config.StaticClusters.Select(c => c.HttpProtocol));
        Assert.All(config.StaticClusters, c => Assert.Null(c.Tls));
        Assert.Equal(new UnixDomainSocketEndPoint("/var/run/cilium/envoy/sockets/xds.sock"), Assert.Single(config.StaticClusters[4].Endpoints));
        var rewrites = config.StaticListeners.Select(l =>
            ((HttpConnectionManagerConfig)l.FilterChains[0].Filters[0]).RouteConfig!.VirtualHosts[0].Routes[0].PrefixRewrite);
        Assert.Equal(["/stats/prometheus", null, "/ready"], rewrites);
    }

    [Fact]
    public void ExampleOfSeparateStreams_Loads()
    {
        var config = LoadFile("examples", "bootstrap-xds.yaml");
        Assert.Equal(new GrpcSourceConfig("xds-grpc-cilium", DiscoveryVariant.StateOfTheWorld, TimeSpan.FromSeconds(30)), config.LdsSource);
        Assert.IsType<UnixDomainSocketEndPoint>(config.AdminAddress);
    }

    [Fact]
    public void ExampleOfTheAggregatedStream_Loads()
    {
        var config = LoadFile("examples", "bootstrap-ads.yaml");
        var ads = new AdsSourceConfig(TimeSpan.FromSeconds(15));
        Assert.Equal((ads, ads), (config.LdsSource, config.CdsSource));
        Assert.Equal(("control-plane", DiscoveryVariant.Delta, false), (config.AdsSource!.Cluster, config.AdsSource.Variant, config.AdsSource.NodeOnFirstMessageOnly));
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 9901), config.AdminAddress);
        Assert.Equal("a", config.Node.Metadata.Fields["zone"].StringValue);
    }

    [Fact]
    public void EveryPartOfAGrpcSource_IsRead()
    {
        var source = Assert.IsType<GrpcSourceConfig>(Load(Clusters + """
            node: { id: n }
            dynamic_resources:
              lds_config:
                initial_fetch_timeout: 0s
                api_config_source:
                  api_type: DELTA_GRPC
                  set_node_on_first_message_only: true
                  rate_limit_settings: { max_tokens: 3, fill_rate: 0.5 }
                  grpc_services:
                  - envoy_grpc: { cluster_name: cp, authority: a.example, max_receive_message_length: 1000 }
                    initial_metadata: [{ key: X-Token, value: t }]
            """).LdsSource);
        Assert.Equal(("cp", DiscoveryVariant.Delta, null, true), (source.Cluster, source.Variant, source.InitialFetchTimeout, source.NodeOnFirstMessageOnly));
        Assert.Equal(("a.example", 1000), (source.Authority, source.MaxReceiveMessageLength));
        Assert.Equal([new("x-token", "t")], source.InitialMetadata);
        Assert.DoesNotContain("t]", source.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ControlPlaneWhoseTlsNamesSecrets_IsRefused()
    {
        const string Tls = "    transport_socket: { name: tls, typed_config: { '@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, "
            + "common_tls_context: { validation_context_sds_secret_config: { name: ca, sds_config: { ads: {} } } } } }\n";
        var text = Clusters.Replace("    load_assignment:", Tls + "    load_assignment:", StringComparison.Ordinal) + "node: { id: n }\ndynamic_resources: { lds_config: { " + Source() + " } }";
        Assert.Contains("names the cluster 'cp', whose TLS names secrets", Refused(text), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AGGREGATED_GRPC", DiscoveryVariant.StateOfTheWorld)]
    [InlineData("AGGREGATED_DELTA_GRPC", DiscoveryVariant.Delta)]
    [InlineData("GRPC", DiscoveryVariant.StateOfTheWorld)]
    public void AggregatedType_NamesTheVariant(string type, DiscoveryVariant expected) => Assert.Equal(
        expected,
        Load($"{Clusters}node: {{ id: n }}\ndynamic_resources: {{ lds_config: {{ ads: {{}} }}, ads_config: {{ api_type: {type}, grpc_services: [{{ envoy_grpc: {{ cluster_name: cp }} }}] }} }}").AdsSource!.Variant);

    [Theory]
    [InlineData("dynamic_resources: { lds_config: { ads: {} } }", "dynamic_resources.lds_config: is ads, but the bootstrap has no dynamic_resources.ads_config; add it")]
    [InlineData("dynamic_resources: { lds_config: { SOURCE } }", "dynamic_resources.lds_config: is a control plane over gRPC, which has to know who asks; write node.id")]
    [InlineData("node: { id: n }\ndynamic_resources: { cds_config: { ads: {} }, lds_config: { path: x }, ads_config: { api_type: GRPC, grpc_services: [{ envoy_grpc: { cluster_name: dst } }] } }", "dynamic_resources.ads_config: names the cluster 'dst', which is not STATIC")]
    [InlineData("node: { id: n }\ndynamic_resources: { lds_config: { SOURCE, initial_fetch_timeout: -1s } }", "lds_config.initial_fetch_timeout: must not be negative")]
    [InlineData("dynamic_resources: { lds_config: { path: x } }\nadmin: { address: {} }", "admin.address: needs a socket_address {address, port_value} or a pipe {path}")]
    [InlineData("dynamic_resources: { lds_config: { path: x } }\nadmin: { address: { pipe: {} } }", "admin.address.pipe.path: must not be empty")]
    [InlineData("dynamic_resources: { lds_config: { path: x } }\nadmin: { allow_paths: [] }", "allow_paths of envoy.config.bootstrap.v3.Admin is not built in yet")]
    [InlineData("dynamic_resources: { lds_config: { path: x } }\nstats_config: {}", "stats_config of envoy.config.bootstrap.v3.Bootstrap is not built in yet; remove it")]
    [InlineData("dynamic_resources: { lds_config: { path: x } }\nbootstrap_extensions: [{ name: x, typed_config: { '@type': type.googleapis.com/x.Y } }]", "unknown type 'x.Y'")]
    [InlineData("dynamic_resources: { lds_config: { path: x } }\noverload_manager: { loadshed_points: [] }", "loadshed_points of envoy.config.overload.v3.OverloadManager is not built in yet")]
    [InlineData("dynamic_resources: { lds_config: { path: x } }\noverload_manager: { resource_monitors: [{ name: x, typed_config: { '@type': type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig } }] }", "resource_monitors[0].typed_config.max_active_downstream_connections: must be above 0")]
    [InlineData("dynamic_resources: { lds_config: { path: x } }\nlayered_runtime: { layers: [{ name: a, static_layer: { overload: { global_downstream_max_connections: x } } }] }", "layers[0].static_layer: overload.global_downstream_max_connections must be a number above 0")]
    public void SourceThatCannotWork_IsRefused(string text, string expected) =>
        Assert.Contains(expected, Refused(Clusters + text.Replace("SOURCE", Source(), StringComparison.Ordinal)), StringComparison.Ordinal);

    [Theory]
    [InlineData("layered_runtime: { layers: [{ name: a, static_layer: { overload: { global_downstream_max_connections: 7 }, re2: [1, { a: true }] } }, { name: b, admin_layer: {} }] }", 7L)]
    [InlineData("layered_runtime: { layers: [{ name: a, static_layer: { overload.global_downstream_max_connections: 8 } }] }", 8L)]
    [InlineData("stats_flush_interval: 60s", null)]
    public void LimitOfConnections_IsReadFromTheRuntimeToo(string text, long? expected) =>
        Assert.Equal(expected, Load("dynamic_resources: { lds_config: { path: x } }\n" + text).MaxDownstreamConnections);

    [Fact]
    public void AbstractSocket_IsAnAddress() => Assert.Equal(
        new UnixDomainSocketEndPoint("\0adm"),
        Load("dynamic_resources: { lds_config: { path: x } }\nadmin: { address: { pipe: { path: '@adm', mode: 384 } } }").AdminAddress);

    [Fact]
    public void LogsOfTheAdminInterface_AreReadOver() => Assert.Null(Load("""
        dynamic_resources: { lds_config: { path: x } }
        admin:
          access_log_path: /dev/null
          profile_path: /tmp/p
          access_log:
          - name: a
            typed_config: { "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: /dev/stdout }
          - name: b
            typed_config: { "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog }
        """).AdminAddress);

    [Fact]
    public void LongPathOfASocket_IsRefused() => Assert.Contains(
        "pipe.path: the path of a Unix socket has at most 107 bytes",
        Refused($"dynamic_resources: {{ lds_config: {{ path: x }} }}\nadmin: {{ address: {{ pipe: {{ path: /{new string('x', 120)} }} }} }}"),
        StringComparison.Ordinal);

    [Fact]
    public void StaticSecrets_AreReadOnce()
    {
        const string Text = "dynamic_resources: { lds_config: { path: x } }\nstatic_resources: { secrets: [{ name: a, generic_secret: { secret: { inline_string: s } } }MORE] }";
        Assert.Equal("GenericSecretConfig(a, [redacted])", Assert.Single(Load(Text.Replace("MORE", "", StringComparison.Ordinal)).StaticSecrets).ToString());
        Assert.Contains(
            "secrets[1].name: a second secret named 'a'",
            Refused(Text.Replace("MORE", ", { name: a, generic_secret: { secret: { inline_string: s } } }", StringComparison.Ordinal)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void SourcesOfDiscoveredResources_AreCheckedAgainstTheBootstrap()
    {
        var bootstrap = Load(Clusters + "node: { id: n }\ndynamic_resources: { lds_config: { path: x } }");
        var eds = new ClusterConfig("e", ClusterType.Eds, TimeSpan.FromSeconds(1), []);
        Assert.Null(SourceReferences.FindProblem(
            eds with { Eds = new EdsConfig("e", new GrpcSourceConfig("cp", DiscoveryVariant.Delta, null)) }, bootstrap));
        Assert.Equal(
            ("eds_cluster_config.eds_config", "names the cluster 'x', which is not among static_resources.clusters; add it there"),
            SourceReferences.FindProblem(eds with { Eds = new EdsConfig("e", new GrpcSourceConfig("x", DiscoveryVariant.Delta, null)) }, bootstrap));
        var listener = new ListenerConfig
        {
            Name = "l",
            Addresses = [new IPEndPoint(IPAddress.Loopback, 1)],
            FilterChains = [new FilterChainConfig("", null, [new HttpConnectionManagerConfig { StatPrefix = "s", Rds = new RdsConfig("r", new AdsSourceConfig(null)) }])],
        };
        Assert.Equal(
            "filter_chains[0].filters[0].typed_config.rds.config_source",
            SourceReferences.FindProblem(listener, bootstrap)!.Value.Path);
    }
}
