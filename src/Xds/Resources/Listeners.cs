using System;
using System.Collections.Generic;
using System.Net;
using Cilium;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Listener.HttpInspector.V3;
using Envoy.Extensions.Filters.Listener.OriginalDst.V3;
using Envoy.Extensions.Filters.Listener.TlsInspector.V3;
using Postern.Policy.Config;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary><c>envoy.config.listener.v3.Listener</c>.</summary>
internal static class Listeners
{
    private const uint DefaultMaxClientHello = 4 * 16 * 1024;
    private static readonly TimeSpan DefaultFiltersTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Validates one listener on its own; what it shares with others is <see cref="ListenerSetRules"/>'s business.</summary>
    public static ListenerConfig ToConfig(Listener listener, ConfigPath path)
    {
        var filters = ListenerFilters(listener, path.Field("listener_filters"));
        var config = new ListenerConfig
        {
            Name = TypedConfig.Required(listener.Name, path.Field("name")),
            Addresses = ListenAddresses(listener, path),
            Transparent = (listener.Transparent ?? false) || Has<BpfMetadataConfig>(filters),
            EnableReusePort = listener.EnableReusePort ?? true,
            TcpBacklogSize = listener.TcpBacklogSize is { } backlog
                ? (backlog <= int.MaxValue ? (int)backlog : throw path.Field("tcp_backlog_size").Error($"{backlog} is more than {int.MaxValue}"))
                : 0,
            ListenerFiltersTimeout = Durations.ToTimeSpan(listener.ListenerFiltersTimeout, DefaultFiltersTimeout, path.Field("listener_filters_timeout")),
            ContinueOnListenerFiltersTimeout = listener.ContinueOnListenerFiltersTimeout,
            ListenerFilters = filters,
            FilterChains = listener.FilterChains.Map(path.Field("filter_chains"), FilterChains.ToConfig),
            DefaultFilterChain = listener.DefaultFilterChain is { } chain ? FilterChains.ToConfig(chain, path.Field("default_filter_chain")) : null,
        };
        ListenerRules.Check(config, path);
        return config;
    }

    /// <summary>Whether a filter of that kind is configured.</summary>
    public static bool Has<T>(EquatableList<ListenerFilterConfig> filters)
        where T : ListenerFilterConfig
    {
        foreach (var filter in filters)
        {
            if (filter is T)
            {
                return true;
            }
        }
        return false;
    }

    private static EquatableList<IPEndPoint> ListenAddresses(Listener listener, ConfigPath path)
    {
        var result = new List<IPEndPoint> { Addresses.ToEndPoint(listener.Address, path.Field("address")) };
        for (var i = 0; i < listener.AdditionalAddresses.Count; i++)
        {
            var at = path.Field("additional_addresses").Item(i).Field("address");
            var endpoint = Addresses.ToEndPoint(listener.AdditionalAddresses[i].Address, at);
            if (endpoint.Port != 0 && result.Contains(endpoint))
            {
                throw at.Error($"{endpoint} stands twice in this listener");
            }
            result.Add(endpoint);
        }
        return result.ToEquatableList();
    }

    private static EquatableList<ListenerFilterConfig> ListenerFilters(Listener listener, ConfigPath path)
    {
        var kinds = new HashSet<Type>();
        return listener.ListenerFilters.Map(path, (filter, at) =>
        {
            TypedConfig.Required(filter.Name, at.Field("name"));
            var config = Filter(TypedConfig.Unpack(filter.TypedConfig, at.Field("typed_config")), at.Field("typed_config"));
            return kinds.Add(config.GetType()) ? config : throw at.Error("a second listener filter of this kind; keep one");
        });
    }

    private static ListenerFilterConfig Filter(Google.Protobuf.IMessage message, ConfigPath path)
    {
        switch (message)
        {
            case OriginalDst:
                return new OriginalDstConfig();
            case HttpInspector:
                return new HttpInspectorConfig();
            case TlsInspector inspector:
                var size = inspector.MaxClientHelloSize ?? DefaultMaxClientHello;
                return inspector.MaxClientHelloSize is null or (>= 256 and <= 16384)
                    ? new TlsInspectorConfig((int)size)
                    : throw path.Field("max_client_hello_size").Error($"{size} is not within 256 to 16384");
            case BpfMetadata metadata:
                return BpfMetadataFilter.ToConfig(metadata, path);
            default:
                throw TypedConfig.Misplaced(message, "a listener filter", path);
        }
    }
}
