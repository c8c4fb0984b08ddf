using System;
using System.Collections.Generic;
using Google.Protobuf.Reflection;

namespace Postern.Xds.Text;

/// <summary>What to say about a field that is not declared: a known one that is not built in, a slip, or neither.</summary>
internal static class UnknownField
{
    private static readonly Dictionary<string, string> NotBuiltIn = new(StringComparer.Ordinal)
    {
        ["envoy.config.core.v3.ConfigSource.api_config_source"] = "gRPC and REST sources are not built in yet; use path_config_source",
        ["envoy.config.core.v3.ConfigSource.ads"] = "gRPC sources (ADS) are not built in yet; use path_config_source",
        ["envoy.config.core.v3.ConfigSource.self"] = "gRPC sources (self) are not built in yet; use path_config_source",
        ["envoy.config.bootstrap.v3.Bootstrap.DynamicResources.ads_config"] = "gRPC sources (ADS) are not built in yet; use lds_config and cds_config with path_config_source",
        ["envoy.config.bootstrap.v3.Bootstrap.admin"] = "the admin listener is not built in yet; remove it",
        ["envoy.config.core.v3.Address.pipe"] = "Unix sockets are not built in here; use socket_address",
        ["envoy.config.core.v3.Address.envoy_internal_address"] = "internal listeners are not built in; use socket_address",
        ["envoy.config.listener.v3.FilterChain.transport_socket"] = "TLS termination is not built in yet; pass TLS through with a tcp_proxy chain that matches transport_protocol: tls",
        ["envoy.config.cluster.v3.Cluster.transport_socket"] = "TLS to upstreams is not built in yet; remove it",
        ["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.rds"] = "RDS is not built in yet; put the routes inline into route_config",
        ["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.scoped_routes"] = "scoped routes are not built in; put the routes inline into route_config",
        ["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.access_log"] = "Envoy access loggers are not built in; records go to the access_log_path of cilium.l7policy and to the sinks of the command line",
        ["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.normalize_path"] = "paths pass unchanged; remove it",
        ["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.upgrade_configs"] = "upgrades are not configurable yet; remove it",
        ["envoy.type.matcher.v3.StringMatcher.custom"] = "custom matchers are not built in; use exact, prefix, suffix, contains or safe_regex",
    };

    /// <summary>One line for the error.</summary>
    public static string Explain(MessageDescriptor type, string name, MessageFields fields)
    {
        if (NotBuiltIn.TryGetValue(type.FullName + "." + name, out var hint))
        {
            return hint;
        }
        var near = NearMiss.Find(name, fields.Names);
        var mend = near is null ? "remove it; docs/config.md lists what is honoured" : $"did you mean {Printable.Quote(near)}?";
        return $"unknown field {Printable.Quote(name)} of {type.FullName}; {mend}";
    }
}
