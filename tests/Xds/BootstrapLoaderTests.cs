using System;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using Postern.Policy.Config;
using Postern.Xds;
using Postern.Xds.Config;

namespace Postern.Tests.Xds;

public class BootstrapLoaderTests
{
    private static readonly string Example = File.ReadAllText(Path.Combine(SharedFiles.RepositoryRoot, "examples", "bootstrap.yaml"));

    private static BootstrapConfig Load(string text, string name = "b.yaml") => BootstrapLoader.Load(Encoding.UTF8.GetBytes(text), name);

    // Every change must hit: a test whose edit misses would pass for the wrong reason.
    private static string Edit(string from, string to)
    {
        Assert.Contains(from, Example, StringComparison.Ordinal);
        return Example.Replace(from, to, StringComparison.Ordinal);
    }

    private static HttpConnectionManagerConfig Manager(string text) => Assert.IsType<HttpConnectionManagerConfig>(Load(text).StaticListeners[0].FilterChains[0].Filters[1]);

    private static string Refused(string text) => Assert.Throws<XdsConfigException>(() => Load(text)).Message;

    [Fact]
    public void Example_IsReadWithDefaults()
    {
        var config = Load(Example);
        Assert.Equal(("node-1", "demo", null, null), (config.Node.Id, config.Node.Cluster, config.LdsSource, config.CdsSource));
        var listener = Assert.Single(config.StaticListeners);
        Assert.Equal("cilium-http-ingress:15001", listener.Name);
        Assert.Equal([new IPEndPoint(IPAddress.Loopback, 15001)], listener.Addresses);
        Assert.Equal((true, true, 0, TimeSpan.FromSeconds(15), false),
            (listener.Transparent, listener.EnableReusePort, listener.TcpBacklogSize, listener.ListenerFiltersTimeout, listener.ContinueOnListenerFiltersTimeout));
        Assert.Equal(
            [
                new TlsInspectorConfig(65536),
                new BpfMetadataConfig { IsIngress = true, UseOriginalSourceAddress = true, UseNphds = true, ProxyId = 15001, PolicySource = new FileSourceConfig("examples/policy.yaml") },
            ],
            listener.ListenerFilters);
        var raw = listener.FilterChains[0];
        Assert.Equal("raw_buffer", raw.Match!.TransportProtocol);
        Assert.Equal(new CiliumNetworkConfig(""), raw.Filters[0]);
        var manager = Assert.IsType<HttpConnectionManagerConfig>(raw.Filters[1]);
        Assert.Equal([new L7PolicyConfig("", "Access denied"), new RouterConfig()], manager.HttpFilters);
        Assert.Equal((TimeSpan.FromHours(1), TimeSpan.FromMinutes(5), null, 60, 100, false),
            (manager.IdleTimeout, manager.StreamIdleTimeout, manager.RequestHeadersTimeout, manager.MaxRequestHeadersKb, manager.MaxHeadersCount, manager.GenerateRequestId));
        var hour = TimeSpan.FromHours(1);
        Assert.Equal(
            [
                new RouteEntryConfig("", StringMatchKind.Prefix, "/", [], true, "ingress-cluster", hour, null),
                new RouteEntryConfig("", StringMatchKind.Prefix, "/", [], false, "ingress-cluster", hour, TimeSpan.FromMinutes(1)),
            ],
            manager.RouteConfig!.VirtualHosts[0].Routes);
        Assert.Equal(new TcpProxyConfig("tls", "ingress-cluster", hour), listener.FilterChains[1].Filters[1]);
        Assert.Equal([new ClusterConfig("ingress-cluster", ClusterType.OriginalDst, TimeSpan.FromSeconds(2), [])], config.StaticClusters);
    }

    /// <summary>As Cilium's operator writes it: <c>use_remote_address</c>, and nothing about <c>skip_xff_append</c>.</summary>
    [Fact]
    public void RemoteAddressWithoutSkippedAppend_IsTaken()
    {
        var manager = Manager(Edit("          skip_xff_append: true\n", ""));
        Assert.Equal((true, false, 0), (manager.UseRemoteAddress, manager.SkipXffAppend, manager.XffTrustedHops));
        Assert.Empty(manager.InternalRanges);
        Assert.Equal((UnderscoresAction.Allow, "", false, false), (manager.UnderscoresAction, manager.Via, manager.PreserveExternalRequestId, manager.AlwaysSetRequestIdInResponse));
    }

    [Fact]
    public void LoadBalancersListener_IsTaken()
    {
        var text = Edit("        is_ingress: true\n", "        is_l7lb: true\n        enforce_policy_on_l7lb: true\n        l7lb_policy_name: front\n        ipv4_source_address: 192.0.2.1\n");
        var filter = Assert.IsType<BpfMetadataConfig>(Load(text).StaticListeners[0].ListenerFilters[1]);
        Assert.Equal((false, true, true, "front", IPAddress.Parse("192.0.2.1")), (filter.IsIngress, filter.IsL7Lb, filter.EnforcePolicyOnL7Lb, filter.L7LbPolicyName, filter.Ipv4SourceAddress));
    }

    [Fact]
    public void HeaderOptions_AreRead()
    {
        var manager = Manager(Edit("skip_xff_append: true", """
            xff_num_trusted_hops: 2
                      via: 1.1 p
                      generate_request_id: true
                      preserve_external_request_id: true
                      always_set_request_id_in_response: true
                      normalize_path: true
                      merge_slashes: true
                      path_with_escaped_slashes_action: REJECT_REQUEST
                      internal_address_config: { cidr_ranges: [{ address_prefix: 10.1.2.3, prefix_len: 8 }] }
                      common_http_protocol_options: { headers_with_underscores_action: REJECT_REQUEST }
            """));
        Assert.Equal((2, "1.1 p", true, true, true), (manager.XffTrustedHops, manager.Via, manager.GenerateRequestId, manager.PreserveExternalRequestId, manager.AlwaysSetRequestIdInResponse));
        Assert.Equal((true, true, EscapedSlashesAction.RejectRequest), (manager.NormalizePath, manager.MergeSlashes, manager.EscapedSlashesAction));
        Assert.Equal([new CidrConfig(IPAddress.Parse("10.0.0.0"), 8)], manager.InternalRanges);
        Assert.Equal(UnderscoresAction.RejectRequest, manager.UnderscoresAction);
    }

    [Theory]
    [InlineData("stat_prefix: proxy", ServerHeaderAction.PassThrough)]
    [InlineData("server_name: x", ServerHeaderAction.Overwrite)]
    [InlineData("server_header_transformation: OVERWRITE", ServerHeaderAction.Overwrite)]
    [InlineData("server_header_transformation: APPEND_IF_ABSENT", ServerHeaderAction.AppendIfAbsent)]
    [InlineData("server_name: x\n          server_header_transformation: PASS_THROUGH", ServerHeaderAction.PassThrough)]
    public void ServerHeader_IsTouchedWhereItIsSaid(string lines, ServerHeaderAction action)
    {
        var manager = Manager(lines == "stat_prefix: proxy" ? Example : Edit("skip_xff_append: true", lines));
        Assert.Equal((action, lines.StartsWith("server_name", StringComparison.Ordinal) ? "x" : "envoy"), (manager.ServerHeaderAction, manager.ServerName));
    }

    [Theory]
    [InlineData("strip_matching_host_port: true", HostPortStripping.Matching, false)]
    [InlineData("strip_any_host_port: true", HostPortStripping.Any, false)]
    [InlineData("strip_trailing_host_dot: true", HostPortStripping.None, true)]
    public void HostStripping_IsRead(string line, HostPortStripping ports, bool dots)
    {
        var manager = Manager(Edit("skip_xff_append: true", line));
        Assert.Equal((ports, dots), (manager.HostPortStripping, manager.StripTrailingHostDot));
    }

    [Fact]
    public void SameText_GivesEqualConfigs() => Assert.Equal(Load(Example).StaticListeners, Load(Example).StaticListeners);

    [Fact]
    public void UnknownField_IsRefusedWithLineAndSuggestion() =>
        Assert.Equal(
            "b.yaml:19:9: static_resources.listeners[0].listener_filters[1].typed_config.is_ingres: unknown field 'is_ingres' of cilium.BpfMetadata; did you mean 'is_ingress'?",
            Refused(Edit("is_ingress: true", "is_ingres: true")));

    [Fact]
    public void UnknownType_IsRefusedWithLineAndSuggestion() =>
        Assert.Equal(
            "b.yaml:18:9: static_resources.listeners[0].listener_filters[1].typed_config.@type: unknown type 'cilium.BpfMetaData2'; did you mean type.googleapis.com/cilium.BpfMetadata?",
            Refused(Edit("cilium.BpfMetadata\n", "cilium.BpfMetaData2\n")));

    [Theory]
    [InlineData("use_nphds: true", "use_nphds: false", "typed_config.use_nphds: there is no source of identities (neither use_nphds nor bpf_root): every peer would be \"world\"; set use_nphds: true")]
    [InlineData("use_nphds: true", "is_l7lb: true", "is_l7lb: cilium.bpf_metadata: is_l7lb may not be set with is_ingress")]
    [InlineData("use_nphds: true", "ipv4_source_address: '::1'", "cilium.bpf_metadata: ipv4_source_address is not an IPv4 address: ::1")]
    [InlineData("use_nphds: true", "ipv6_source_address: 1.2.3.4", "cilium.bpf_metadata: ipv6_source_address is not an IPv6 address: 1.2.3.4")]
    [InlineData("proxy_id: 15001", "proxy_id: 65536", "proxy_id: 65536 is not within 0 to 65535")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "ads: {}", "cilium_config_source: is ads, but the bootstrap has no dynamic_resources.ads_config; add it")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "self: {}", "cilium_config_source.self: the source that sent this resource is not remembered")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "resource_api_version: V3", "cilium_config_source: names no source; use path_config_source {path}")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "api_config_source: { api_type: GRPC }", "api_config_source.grpc_services: is missing; write grpc_services: [{envoy_grpc: {cluster_name}}]")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "api_config_source: { api_type: REST }", "api_config_source.api_type: REST sources are not built in; use GRPC or DELTA_GRPC")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "api_config_source: { api_type: AGGREGATED_GRPC }", "api_type: aggregated streams are configured in dynamic_resources.ads_config; write ads: {} here")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "api_config_source: { api_type: GRPC, transport_api_version: V2 }", "transport_api_version: version 2 of the API is gone")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "api_config_source: { api_type: GRPC, grpc_services: [{ google_grpc: {} }] }", "google_grpc: Google's gRPC client is not built in; use envoy_grpc")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "api_config_source: { api_type: GRPC, grpc_services: [{ envoy_grpc: {} }] }", "grpc_services[0].envoy_grpc.cluster_name: must not be empty")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "api_config_source: { api_type: GRPC, grpc_services: [{ envoy_grpc: { cluster_name: ingress-cluster } }] }", "cilium_config_source: names the cluster 'ingress-cluster', which is not STATIC")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "api_config_source: { api_type: GRPC, grpc_services: [{ envoy_grpc: { cluster_name: x } }] }", "cilium_config_source: names the cluster 'x', which is not among static_resources.clusters; add it there")]
    [InlineData("  id: node-1\n  cluster: demo\n", "  dynamic_parameters: {}\n", "node.dynamic_parameters: dynamic_parameters of envoy.config.core.v3.Node has no effect here; remove it")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "path_config_source: {}", "path_config_source.path: needs the path of a file")]
    [InlineData("path_config_source: { path: examples/policy.yaml }", "resource_api_version: V2", "resource_api_version: version 2 of the API is gone")]
    [InlineData("port_value: 15001", "port_value: 65536", "port_value: 65536 is not within 0 to 65535")]
    [InlineData("port_value: 15001", "named_port: http", "named_port: named ports are not built in; use port_value")]
    [InlineData("address: 127.0.0.1, port_value: 15001", "address: localhost, port_value: 15001", "address: expected an IPv4 or IPv6 address (host names are not resolved), found 'localhost'")]
    [InlineData("address: 127.0.0.1, port_value: 15001", "address: 127.1, port_value: 15001", "address: expected a string, found a number; put it in quotes")]
    [InlineData("address: 127.0.0.1, port_value: 15001", "address: 010.0.0.1, port_value: 15001", "found '010.0.0.1'")]
    [InlineData("address: 127.0.0.1, port_value: 15001", "address: 127.0.0.1, protocol: UDP, port_value: 15001", "protocol: only TCP is built in here")]
    [InlineData("socket_address: { address: 127.0.0.1, port_value: 15001 }", "pipe: { path: /x }", "address.pipe: Unix sockets are not built in here; use socket_address")]
    [InlineData("name: raw", "name: tls", "filter_chains[1].name: a second filter chain named 'tls'")]
    [InlineData("transport_protocol: raw_buffer", "transport_protocol: tls", "filter_chains[1].filter_chain_match: another filter chain of this listener matches the same")]
    [InlineData("transport_protocol: raw_buffer", "transport_protocol: quic", "transport_protocol: expected raw_buffer or tls, found 'quic'")]
    [InlineData("transport_protocol: raw_buffer", "server_names: ['a*']", "server_names[0]: 'a*' is neither a name nor *.suffix")]
    [InlineData("transport_protocol: raw_buffer", "destination_port: 0", "destination_port: 0 is not within 1 to 65535")]
    [InlineData("transport_protocol: raw_buffer", "prefix_ranges: [{address_prefix: 10.0.0.0}]", "prefix_ranges[0]: needs a prefix_len; write 32 for one address, 0 for all")]
    [InlineData("transport_protocol: raw_buffer", "prefix_ranges: [{address_prefix: 10.0.0.0, prefix_len: 33}]", "prefix_len: 33 is not within 0 to 32")]
    [InlineData("skip_xff_append: true", "via: \"a\\r\\nb\"", "via: ")]
    [InlineData("skip_xff_append: true", "via: ' a'", "via: ' a' is no header value: printable ASCII, no white space around it")]
    [InlineData("skip_xff_append: true", "xff_num_trusted_hops: 1001", "xff_num_trusted_hops: 1001 is not within 0 to 1000")]
    [InlineData("skip_xff_append: true", "common_http_protocol_options: { headers_with_underscores_action: DROP }", "headers_with_underscores_action: expected one of ALLOW, REJECT_REQUEST, DROP_HEADER")]
    [InlineData("skip_xff_append: true", "strip_matching_host_port: true\n          strip_any_host_port: true", "strip_any_host_port: strip_matching_host_port is set too; keep one")]
    [InlineData("skip_xff_append: true", "append_x_forwarded_port: true", "append_x_forwarded_port of ")]
    [InlineData("skip_xff_append: true", "server_header_transformation: REPLACE", "server_header_transformation: expected one of OVERWRITE, APPEND_IF_ABSENT, PASS_THROUGH")]
    [InlineData("skip_xff_append: true", "server_name: \"a\\nb\"", "server_name: ")]
    [InlineData("skip_xff_append: true", "skip_xff_append: true\n          codec_type: HTTP3", "codec_type: Http3 is not built in; use AUTO, HTTP1 or HTTP2")]
    [InlineData("skip_xff_append: true", "skip_xff_append: true\n          max_request_headers_kb: 8193", "max_request_headers_kb: 8193 is not within 1 to 8192")]
    [InlineData("skip_xff_append: true", "skip_xff_append: true\n          common_http_protocol_options: {max_headers_count: 0}", "max_headers_count: 0 is not within 1 to")]
    [InlineData("skip_xff_append: true", "skip_xff_append: true\n          upgrade_configs: [{ upgrade_type: CONNECT-UDP }]", "upgrade_configs[0].upgrade_type: datagrams in HTTP are not built in; remove it")]
    [InlineData("skip_xff_append: true", "skip_xff_append: true\n          internal_address_config: { cidr_ranges: [{ address_prefix: x, prefix_len: 1 }] }", "internal_address_config.cidr_ranges[0].address_prefix: expected an IPv4 or IPv6 address")]
    [InlineData("skip_xff_append: true", "skip_xff_append: true\n          path_with_escaped_slashes_action: 9", "path_with_escaped_slashes_action: expected one of IMPLEMENTATION_SPECIFIC_DEFAULT, KEEP_UNCHANGED")]
    [InlineData("skip_xff_append: true", "skip_xff_append: true\n          access_log: []", "access_log: Envoy access loggers are not built in")]
    [InlineData("stat_prefix: proxy", "stat_prefix: ''", "stat_prefix: must not be empty")]
    [InlineData("stream_idle_timeout: 300s", "stream_idle_timeout: -1s", "stream_idle_timeout: must not be negative")]
    [InlineData("stream_idle_timeout: 300s", "stream_idle_timeout: 300", "stream_idle_timeout: expected a duration like \"1.5s\", found the number 300")]
    [InlineData("stream_idle_timeout: 300s", "stream_idle_timeout: 9999999999s", "stream_idle_timeout: longer than 49 days; 0s switches a timeout off")]
    [InlineData("route: { cluster: ingress-cluster, timeout: 3600s }", "route: { cluster: ingress-cluster, prefix_rewrite: x }", "prefix_rewrite: expected a path that begins with / and holds no space, ? or #, found 'x'")]
    [InlineData("route: { cluster: ingress-cluster, timeout: 3600s }", "route: { cluster: ingress-cluster, prefix_rewrite: '/a b' }", "prefix_rewrite: expected a path")]
    [InlineData("match: { prefix: /, grpc: {} }\n                route: { cluster: ingress-cluster, timeout: 3600s }", "match: { safe_regex: { regex: a } }\n                route: { cluster: ingress-cluster, prefix_rewrite: /x }", "routes[0].route.prefix_rewrite: has nothing to replace behind safe_regex")]
    [InlineData("domains: [\"*\"]", "domains: []", "virtual_hosts[0].domains: needs at least one domain")]
    [InlineData("domains: [\"*\"]", "domains: [a.b, A.b]", "domains[1]: the domain 'A.b' stands twice")]
    [InlineData("domains: [\"*\"]", "domains: ['*a*']", "domains[0]: '*a*' has a wildcard")]
    [InlineData("match: { prefix: / }", "match: { safe_regex: { regex: '(' } }", "routes[1].match.safe_regex: ")]
    [InlineData("match: { prefix: / }", "match: { prefix: /, headers: [{ name: a, range_match: { start: 2, end: 1 } }] }", "routes[1].match.headers[0]: ")]
    [InlineData("match: { prefix: / }", "match: {}", "routes[1].match: needs one of prefix, path, safe_regex or connect_matcher")]
    [InlineData("route: { cluster: ingress-cluster, timeout: 3600s }", "route: { cluster: ingres-cluster }", "routes[0].route.cluster: unknown cluster 'ingres-cluster'; did you mean 'ingress-cluster'?")]
    [InlineData("route: { cluster: ingress-cluster, timeout: 3600s }", "name: x", "routes[0].route: is missing")]
    [InlineData("stat_prefix: tls", "stat_prefix: ''", "filter_chains[1].filters[1].typed_config.stat_prefix: must not be empty")]
    [InlineData("lb_policy: CLUSTER_PROVIDED", "lb_policy: ROUND_ROBIN", "clusters[0].lb_policy: an ORIGINAL_DST cluster chooses its host itself; write lb_policy: CLUSTER_PROVIDED")]
    [InlineData("type: ORIGINAL_DST", "type: STATIC", "clusters[0].lb_policy: ClusterProvided is not built in for STATIC clusters; use ROUND_ROBIN")]
    [InlineData("type: ORIGINAL_DST", "type: STRICT_DNS", "clusters[0].type: StrictDns is not built in yet; use STATIC, EDS or ORIGINAL_DST")]
    [InlineData("type: ORIGINAL_DST\n    lb_policy: CLUSTER_PROVIDED", "type: EDS", "clusters[0].eds_cluster_config: is missing; an EDS cluster needs its eds_config")]
    [InlineData("type: ORIGINAL_DST\n    lb_policy: CLUSTER_PROVIDED", "type: EDS\n    eds_cluster_config: {}", "clusters[0].eds_cluster_config.eds_config: is missing; name the source")]
    [InlineData("type: ORIGINAL_DST\n    lb_policy: CLUSTER_PROVIDED", "type: EDS\n    lb_policy: MAGLEV", "clusters[0].lb_policy: Maglev is not built in for EDS clusters")]
    [InlineData("connect_timeout: 2s", "eds_cluster_config: {}", "clusters[0].eds_cluster_config: a cluster of type OriginalDst takes no endpoints from EDS")]
    [InlineData("connect_timeout: 2s", "transport_socket_matches: []", "transport_socket_matches of envoy.config.cluster.v3.Cluster is not built in yet; remove it")]
    [InlineData("connect_timeout: 2s", "altStatName: x", "altStatName of envoy.config.cluster.v3.Cluster has no effect here; remove it")]
    [InlineData("connect_timeout: 2s", "typed_extension_protocol_options: { x: { '@type': type.googleapis.com/cilium.L7Policy } }", "typed_extension_protocol_options[\"x\"]: options of this extension are not built in")]
    [InlineData("connect_timeout: 2s", "connect_timeout: 0s", "clusters[0].connect_timeout: must be longer than 0")]
    [InlineData("connect_timeout: 2s", "load_assignment: {cluster_name: a}", "clusters[0].load_assignment: an ORIGINAL_DST cluster has no endpoints of its own")]
    [InlineData("node:\n", "node:\n  id: &a x\n", "node.id: anchors and aliases are not read; write the value out")]
    [InlineData("node:\n", "node:\n  id: x\n", "node.id: duplicate key; keep one of them")]
    [InlineData("node:\n", "node:\n  id2: !!binary x\n", "node.id2: tags are not read")]
    [InlineData("  clusters:", "  clusters:\n  - name: ingress-cluster\n    type: ORIGINAL_DST\n    lb_policy: CLUSTER_PROVIDED", "clusters[1].name: a second cluster named 'ingress-cluster'")]
    public void BadPart_IsRefusedByName(string from, string to, string expected)
    {
        var message = Refused(Edit(from, to));
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Matches(@"\Ab\.yaml:\d+:\d+: [^\n]+\z", message);
    }

    private const string MetadataFilter = """
            - name: cilium.bpf_metadata
              typed_config:
                "@type": type.googleapis.com/cilium.BpfMetadata
                is_ingress: true
                use_original_source_address: true
                use_nphds: true
                proxy_id: 15001
                cilium_config_source:
                  path_config_source: { path: examples/policy.yaml }

        """;

    private const string TlsFilter = """
            - name: envoy.filters.listener.tls_inspector
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector

        """;

    private const string NetworkFilter = """
              - name: cilium.network
                typed_config:
                  "@type": type.googleapis.com/cilium.NetworkFilter

        """;

    private const string PolicyFilter = """
                  - name: cilium.l7policy
                    typed_config:
                      "@type": type.googleapis.com/cilium.L7Policy
                      denied_403_body: Access denied

        """;

    private const string RouterFilter = """
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router

        """;

    [Theory]
    [InlineData(MetadataFilter, "", "filters[1].typed_config.http_filters: cilium.l7policy needs the identities of cilium.bpf_metadata")]
    [InlineData(TlsFilter, "", "filter_chains[1].filter_chain_match: matches on TLS, which nobody detects here; add envoy.filters.listener.tls_inspector")]
    [InlineData(TlsFilter, TlsFilter + TlsFilter, "listener_filters[1]: a second listener filter of this kind")]
    [InlineData(NetworkFilter, "", "filter_chains[0].filters: the listener has cilium.bpf_metadata, but this chain would pass connections without a verdict")]
    [InlineData(NetworkFilter, NetworkFilter + NetworkFilter, "filter_chains[0].filters[1]: cilium.network must be the first filter of its chain, once")]
    [InlineData(PolicyFilter, "", "http_filters: the listener has cilium.bpf_metadata, but this chain would pass requests without a verdict")]
    [InlineData(PolicyFilter, PolicyFilter + PolicyFilter, "http_filters[1]: a second cilium.l7policy")]
    [InlineData(RouterFilter, "", "http_filters: the last HTTP filter must be envoy.filters.http.router")]
    [InlineData(RouterFilter, RouterFilter + RouterFilter, "http_filters[1]: the router is terminal")]
    [InlineData(PolicyFilter, RouterFilter, "http_filters[0]: the router is terminal")]
    public void MissingOrMisplacedFilter_IsRefused(string from, string to, string expected) =>
        Assert.Contains(expected, Refused(Edit(from, to)), StringComparison.Ordinal);

    [Fact]
    public void FilterOfAnotherKind_IsRefused() =>
        Assert.Contains(
            "listener_filters[0].typed_config.@type: envoy.extensions.filters.http.router.v3.Router is not a listener filter",
            Refused(Edit(TlsFilter, TlsFilter.Replace("listener.tls_inspector.v3.TlsInspector", "http.router.v3.Router", StringComparison.Ordinal))),
            StringComparison.Ordinal);

    [Fact]
    public void Proxylib_IsRefused() =>
        Assert.Contains(
            "filters[0].typed_config.proxylib: Go parsers (proxylib) are not supported",
            Refused(Edit("cilium.NetworkFilter\n      - name: envoy.filters.network.tcp", "cilium.NetworkFilter\n          proxylib: libcilium.so\n      - name: envoy.filters.network.tcp")),
            StringComparison.Ordinal);

    [Fact]
    public void OriginalDestination_NeedsAListenerThatKnowsIt() =>
        Assert.Contains(
            "cluster 'o' is ORIGINAL_DST, but this listener knows no original destinations",
            Refused("""
                static_resources:
                  listeners:
                  - name: a
                    address: { socket_address: { address: 127.0.0.1, port_value: 1 } }
                    filter_chains:
                    - filters:
                      - name: t
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
                          stat_prefix: s
                          cluster: o
                  clusters: [{ name: o, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED }]
                """),
            StringComparison.Ordinal);

    [Fact]
    public void TwoListenersOnOneAddress_AreRefused()
    {
        const string Listener = """
            { "name": "N", "address": { "socket_address": { "address": "127.0.0.1", "port_value": 1 } }, "filter_chains": [ { "filters": [
              { "name": "t", "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": "s", "cluster": "c" } } ] } ] }
            """;
        var text = $$$"""{"static_resources": {"listeners": [{{{Listener}}}, {{{Listener.Replace("\"N\"", "\"M\"", StringComparison.Ordinal)}}}] }, "dynamic_resources": {"cds_config": {"path": "cds.yaml"} } }""";
        Assert.Contains("listeners[1].address: 127.0.0.1:1 is taken by listener 'N'",
            Assert.Throws<XdsConfigException>(() => Load(text, "b.json")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PathsOfDynamicResources_AreTakenInBothForms()
    {
        var config = Load("""{"dynamicResources": {"ldsConfig": {"path": "a"}, "cdsConfig": {"resourceApiVersion": "V3", "pathConfigSource": {"path": "b", "watched_directory": {"path": "d"}}}}}""", "b.json");
        Assert.Equal((new FileSourceConfig("a"), new FileSourceConfig("b")), (config.LdsSource, config.CdsSource));
    }

    [Fact]
    public void NothingToListenOn_IsRefused() =>
        Assert.Equal("b.yaml:1:1: has no listener; write static_resources.listeners or dynamic_resources.lds_config", Refused("{}"));

    [Fact]
    public void JsonAndYaml_MeanTheSame()
    {
        var json = """{"node":{"id":"x"},"dynamic_resources":{"lds_config":{"path":"l"}}}""";
        Assert.Equal(Load(json, "b.json"), Load(json, "b.yaml"));
    }

    [Fact]
    public void MissingFile_IsNamed() =>
        Assert.StartsWith("/nonexistent/b.yaml: cannot be read: ", Assert.Throws<XdsConfigException>(() => BootstrapLoader.LoadFile("/nonexistent/b.yaml")).Message, StringComparison.Ordinal);

    [Fact]
    public void CidrHostBits_AreCleared()
    {
        var config = Load(Edit("transport_protocol: raw_buffer", "prefix_ranges: [{address_prefix: 10.1.2.3, prefix_len: 9}, {address_prefix: 'f00d::ffff', prefix_len: 121}]"));
        Assert.Equal(
            [new CidrConfig(IPAddress.Parse("10.0.0.0"), 9), new CidrConfig(IPAddress.Parse("f00d::ff80"), 121)],
            config.StaticListeners[0].FilterChains[0].Match!.PrefixRanges);
    }
}
