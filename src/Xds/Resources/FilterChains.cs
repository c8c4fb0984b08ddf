using System;
using Cilium;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.listener.v3.FilterChain</c> and its network filters.</summary>
internal static class FilterChains
{
    private static readonly TimeSpan DefaultTcpIdleTimeout = TimeSpan.FromHours(1);

    /// <summary>Validates a chain: exactly one terminal filter, at the end.</summary>
    public static FilterChainConfig ToConfig(FilterChain chain, ConfigPath path)
    {
        var match = chain.FilterChainMatch is null ? null : FilterChainMatches.ToConfig(chain.FilterChainMatch, path.Field("filter_chain_match"));
        var filtersPath = path.Field("filters");
        var filters = chain.Filters.Map(filtersPath, Filter);
        for (var i = 0; i < filters.Count; i++)
        {
            var last = i == filters.Count - 1;
            if (!last && filters[i] is TcpProxyConfig or HttpConnectionManagerConfig)
            {
                throw filtersPath.Item(i).Error("this filter is terminal and must be the last of its chain; remove it or what follows");
            }
            if (filters[i] is CiliumNetworkConfig && !MayPrecede(filters, i))
            {
                throw filtersPath.Item(i).Error("cilium.network must be the first filter of its chain, once: nothing may run before the verdict");
            }
            if (filters[i] is WebSocketConfig && filters[^1] is HttpConnectionManagerConfig)
            {
                throw filtersPath.Item(i).Error("WebSocket filters need envoy.filters.network.tcp_proxy at the end of their chain");
            }
        }
        if (filters.Count == 0 || filters[^1] is not (TcpProxyConfig or HttpConnectionManagerConfig))
        {
            throw filtersPath.Error("needs a terminal filter at the end: envoy.filters.network.tcp_proxy or envoy.filters.network.http_connection_manager");
        }
        var config = new FilterChainConfig(chain.Name, match, filters)
        {
            HandshakeTimeout = Durations.OrOff(chain.TransportSocketConnectTimeout, TimeSpan.Zero, path.Field("transport_socket_connect_timeout")),
        };
        return TransportSockets.Apply(config, chain.TransportSocket, path.Field("transport_socket"));
    }

    // WebSocket filters may: what they learn of the connection is part of the verdict, and nothing is connected to before it.
    private static bool MayPrecede(EquatableList<NetworkFilterConfig> filters, int network)
    {
        for (var i = 0; i < network; i++)
        {
            if (filters[i] is not WebSocketConfig)
            {
                return false;
            }
        }
        return true;
    }

    private static NetworkFilterConfig Filter(Filter filter, ConfigPath path)
    {
        TypedConfig.Required(filter.Name, path.Field("name"));
        path = path.Field("typed_config");
        return TypedConfig.Unpack(filter.TypedConfig, path) switch
        {
            NetworkFilter network => Network(network, path),
            WebSocketClient client => WebSocketFilters.ToConfig(client, path),
            WebSocketServer server => WebSocketFilters.ToConfig(server, path),
            TcpProxy tcp => new TcpProxyConfig(
                TypedConfig.Required(tcp.StatPrefix, path.Field("stat_prefix")),
                TypedConfig.Required(tcp.Cluster, path.Field("cluster")),
                Durations.OrOff(tcp.IdleTimeout, DefaultTcpIdleTimeout, path.Field("idle_timeout")))
            {
                MaxDownstreamConnectionDuration = MaxDuration(tcp, path.Field("max_downstream_connection_duration")),
            },
            HttpConnectionManager manager => HttpConnectionManagers.ToConfig(manager, path),
            var other => throw TypedConfig.Misplaced(other, "a network filter", path),
        };
    }

    private static TimeSpan? MaxDuration(TcpProxy tcp, ConfigPath path)
    {
        if (tcp.MaxDownstreamConnectionDuration is not { } duration)
        {
            return null;
        }
        var value = Durations.ToTimeSpan(duration, TimeSpan.Zero, path);
        return value >= TimeSpan.FromMilliseconds(1) ? value : throw path.Error("must be 1ms or longer; remove it for no bound");
    }

    private static CiliumNetworkConfig Network(NetworkFilter network, ConfigPath path)
    {
        if (network.Proxylib.Length > 0 || network.ProxylibParams.Count > 0)
        {
            throw path.Field(network.Proxylib.Length > 0 ? "proxylib" : "proxylib_params")
                .Error("Go parsers (proxylib) are not supported; remove it");
        }
        return new CiliumNetworkConfig(network.AccessLogPath);
    }
}
