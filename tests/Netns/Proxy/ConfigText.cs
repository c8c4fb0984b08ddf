using System;
using System.Collections.Generic;
using System.Linq;

namespace Postern.Tests.Netns.Proxy;

/// <summary>Bootstrap, discovery and policy files as JSON text.</summary>
internal static class ConfigText
{
    private const string Envoy = "type.googleapis.com/envoy.extensions.filters";

    /// <summary>One steered listener on 127.0.0.1 and ::1: an HTTP chain for plain bytes and a tcp_proxy chain for TLS.</summary>
    internal static string Steered(ListenerText of) => $$"""
        {"name":"{{of.Name}}",
         "address":{"socket_address":{"address":"127.0.0.1","port_value":{{of.Port}} } },
         "additional_addresses":[{"address":{"socket_address":{"address":"::1","port_value":{{of.Port}} } } }],
         {{of.Extra}}
         "listener_filters":[
          {"name":"tls_inspector","typed_config":{"@type":"{{Envoy}}.listener.tls_inspector.v3.TlsInspector"} },
          {"name":"cilium.bpf_metadata","typed_config":{"@type":"type.googleapis.com/cilium.BpfMetadata","is_ingress":{{(of.Ingress ? "true" : "false")}},
           "use_original_source_address":true,"use_nphds":true,"proxy_id":{{of.ProxyId}},"cilium_config_source":{{Source(of)}} } }],
         "filter_chains":[
          {"name":"raw","filter_chain_match":{"transport_protocol":"raw_buffer"},"filters":[{{Network(of)}},{{(of.Opaque ? Tcp("original") : Http(of, of.Cluster))}}]},
          {"name":"tls","filter_chain_match":{"transport_protocol":"tls"},"filters":[{{Network(of)}},{{(of.TlsSocket.Length == 0 ? Tcp("original") : Http(of, of.Cluster))}}]
           {{(of.TlsSocket.Length == 0 ? "" : ",\"transport_socket\":" + of.TlsSocket)}} }]}
        """;

    /// <summary>A listener without policy that forwards HTTP to a cluster.</summary>
    /// <param name="name">Of the listener.</param>
    /// <param name="address">It listens there.</param>
    /// <param name="port">And there.</param>
    /// <param name="cluster">Everything goes there; of no account with <paramref name="rds"/>.</param>
    /// <param name="rds">Where its route table, named "table", comes from.</param>
    internal static string Plain(string name, string address, int port, string cluster, string rds = "")
    {
        var http = Http(new ListenerText { Name = name, Judges = false, Rds = rds }, cluster);
        return $$"""
            {"name":"{{name}}","address":{"socket_address":{"address":"{{address}}","port_value":{{port}} } },"transparent":false,
             "filter_chains":[{"filters":[{{http}}]}]}
            """;
    }

    internal static string Static(string name, string address, int port) => $$"""
        {"name":"{{name}}","type":"STATIC","connect_timeout":"2s","load_assignment":{"cluster_name":"{{name}}","endpoints":[{"lb_endpoints":[
         {"endpoint":{"address":{"socket_address":{"address":"{{address}}","port_value":{{port}} } } } }]}]} }
        """;

    /// <summary>A cluster whose endpoints come by EDS, under the name "svc".</summary>
    internal static string Eds(string name, string source, int connectTimeout = 2) => $$"""
        {"name":"{{name}}","type":"EDS","connect_timeout":"{{connectTimeout}}s","eds_cluster_config":{"service_name":"svc","eds_config":{{source}} } }
        """;

    internal static string OriginalDst => """{"name":"original","type":"ORIGINAL_DST","lb_policy":"CLUSTER_PROVIDED","connect_timeout":"5s"}""";

    internal static string Bootstrap(IEnumerable<string> listeners, IEnumerable<string> clusters, string? lds = null, string? cds = null)
    {
        var dynamic = new List<string>();
        if (lds is not null)
        {
            dynamic.Add($$"""  "lds_config":{"path_config_source":{"path":"{{lds}}"} }""");
        }
        if (cds is not null)
        {
            dynamic.Add($$"""  "cds_config":{"path_config_source":{"path":"{{cds}}"} }""");
        }
        return $$"""
            {"node":{"id":"test","cluster":"test"},
             "static_resources":{"listeners":[{{string.Join(",\n", listeners)}}],"clusters":[{{string.Join(",\n", clusters)}}]},
             "dynamic_resources":{ {{string.Join(",\n", dynamic)}} } }
            """;
    }

    /// <summary>A discovery answer; <paramref name="type"/> is Listener or Cluster.</summary>
    internal static string Discovery(string type, string version, params string[] resources)
    {
        var any = type == "Listener" ? "envoy.config.listener.v3.Listener" : "envoy.config.cluster.v3.Cluster";
        var items = resources.Select(r => $"{{\"@type\":\"type.googleapis.com/{any}\"," + r.TrimStart()[1..]);
        return $"{{\"version_info\":\"{version}\",\"resources\":[\n{string.Join(",\n", items)}]}}";
    }

    /// <summary>Identities 1001 (.2), 1002 (.3), 2001 (the server), and a policy for some endpoint.</summary>
    internal static string Policy(string version, params string[] resources)
    {
        string[] hosts =
        [
            Host(1001, $"{ProxyRig.Client}/32", $"{ProxyRig.ClientV6}/128"),
            Host(1002, $"{ProxyRig.Other}/32", $"{ProxyRig.OtherV6}/128"),
            Host(2001, $"{ProxyRig.Server}/32", $"{ProxyRig.ServerV6}/128"),
        ];
        return $"{{\"version_info\":\"{version}\",\"resources\":[\n{string.Join(",\n", hosts.Concat(resources))}]}}";
    }

    /// <summary>What the server accepts; one text per port, as <see cref="Port"/> makes it.</summary>
    internal static string ServerAccepts(params string[] ports) => $$"""
        {"@type":"type.googleapis.com/cilium.NetworkPolicy","endpoint_id":"42","endpoint_ips":["{{ProxyRig.Server}}","{{ProxyRig.ServerV6}}"],
         "ingress_per_port_policies":[{{string.Join(",", ports)}}]}
        """;

    /// <summary>Where the client may go.</summary>
    internal static string ClientReaches(params string[] ports) => $$"""
        {"@type":"type.googleapis.com/cilium.NetworkPolicy","endpoint_id":"43","endpoint_ips":["{{ProxyRig.Client}}","{{ProxyRig.ClientV6}}"],
         "egress_per_port_policies":[{{string.Join(",", ports)}}]}
        """;

    internal static string Port(int port, params string[] rules) => $$"""{"port":{{port}},"rules":[{{string.Join(",", rules)}}]}""";

    /// <summary>A rule without L7.</summary>
    internal static string Rule(uint identity, string extra = "") => $$"""{"name":"open","remote_policies":[{{identity}}]{{extra}} }""";

    /// <summary>A rule that allows GET of paths that match a regular expression.</summary>
    internal static string HttpRule(uint identity, string path) => $$"""
        {"name":"gets","remote_policies":[{{identity}}],"http_rules":{"http_rules":[{"headers":[
         {"name":":method","string_match":{"exact":"GET"} },{"name":":path","string_match":{"safe_regex":{"regex":"{{path}}"} } }]}]} }
        """;

    private static string Host(uint identity, params string[] prefixes) =>
        $$"""{"@type":"type.googleapis.com/cilium.NetworkPolicyHosts","policy":"{{identity}}","host_addresses":[{{Quoted(prefixes)}}]}""";

    private static string Quoted(string[] texts) => string.Join(",", texts.Select(t => "\"" + t + "\""));

    private static string Network(ListenerText of) =>
        $$"""{"name":"cilium.network","typed_config":{"@type":"type.googleapis.com/cilium.NetworkFilter"{{Log(of)}} } }""";

    private static string Tcp(string cluster) =>
        $$"""{"name":"tcp_proxy","typed_config":{"@type":"{{Envoy}}.network.tcp_proxy.v3.TcpProxy","stat_prefix":"tcp","cluster":"{{cluster}}"} }""";

    private static string Http(ListenerText of, string cluster)
    {
        var l7 = of.Judges ? $$"""{"name":"cilium.l7policy","typed_config":{"@type":"type.googleapis.com/cilium.L7Policy","denied_403_body":"Access denied"{{Log(of)}} } },""" : "";
        var routes = of.Rds.Length > 0
            ? $$"""
                "rds":{"route_config_name":"table","config_source":{{of.Rds}} }
                """
            : $$"""
                "route_config":{"virtual_hosts":[{"name":"all","domains":["*"],"routes":[{"match":{"prefix":"/"},"route":{"cluster":"{{cluster}}","timeout":"3600s"} }]}]}
                """;
        return $$"""
            {"name":"hcm","typed_config":{"@type":"{{Envoy}}.network.http_connection_manager.v3.HttpConnectionManager","stat_prefix":"http",
             "use_remote_address":true,"skip_xff_append":true,"stream_idle_timeout":"{{of.StreamIdle}}","request_headers_timeout":"{{of.HeadersTimeout}}",
             "common_http_protocol_options":{"idle_timeout":"{{of.Idle}}"},
             {{of.HttpExtra}}
             {{routes}},
             "http_filters":[{{l7}}{"name":"router","typed_config":{"@type":"{{Envoy}}.http.router.v3.Router"} }]} }
            """;
    }

    private static string Source(ListenerText of) =>
        of.PolicySource.Length > 0 ? of.PolicySource : $$"""{"path_config_source":{"path":"{{of.PolicyPath}}"} }""";

    private static string Log(ListenerText of) => of.AccessLog.Length == 0 ? "" : $",\"access_log_path\":\"{of.AccessLog}\"";
}
