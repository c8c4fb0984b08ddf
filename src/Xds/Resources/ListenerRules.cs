using System;
using System.Collections.Generic;
using System.Linq;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>
/// What must hold between the parts of one listener. Envoy starts with most of these broken and then denies or, worse, passes
/// everything: a verdict needs the identity from cilium.bpf_metadata, and a listener that looks up identities is there to enforce.
/// </summary>
internal static class ListenerRules
{
    /// <summary>Throws on the first broken rule.</summary>
    public static void Check(ListenerConfig listener, ConfigPath path)
    {
        if (listener.FilterChains.Count == 0 && listener.DefaultFilterChain is null)
        {
            throw path.Field("filter_chains").Error("a listener needs at least one filter chain");
        }
        var metadata = Listeners.Has<BpfMetadataConfig>(listener.ListenerFilters);
        var tls = Listeners.Has<TlsInspectorConfig>(listener.ListenerFilters);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var matches = new HashSet<FilterChainMatchConfig>();
        for (var i = 0; i < listener.FilterChains.Count; i++)
        {
            var chain = listener.FilterChains[i];
            var at = path.Field("filter_chains").Item(i);
            if (chain.Name.Length > 0 && !names.Add(chain.Name))
            {
                throw at.Field("name").Error($"a second filter chain named {Printable.Quote(chain.Name)}");
            }
            if (!matches.Add(chain.Match ?? new FilterChainMatchConfig()))
            {
                throw at.Field("filter_chain_match").Error("another filter chain of this listener matches the same; only one could ever be chosen");
            }
            if (!tls && chain.Match is { } match && (match.ServerNames.Count > 0 || match.TransportProtocol == "tls"))
            {
                throw at.Field("filter_chain_match").Error("matches on TLS, which nobody detects here; add envoy.filters.listener.tls_inspector to listener_filters");
            }
            CheckEnforcement(chain, metadata, at);
        }
        if (listener.DefaultFilterChain is { } last)
        {
            CheckEnforcement(last, metadata, path.Field("default_filter_chain"));
        }
    }

    private static void CheckEnforcement(FilterChainConfig chain, bool metadata, ConfigPath path)
    {
        path = path.Field("filters");
        var network = chain.Filters.Any(f => f is CiliumNetworkConfig);
        var terminal = path.Item(chain.Filters.Count - 1).Field("typed_config");
        var manager = chain.Filters[^1] as HttpConnectionManagerConfig;
        var l7 = manager is not null && manager.HttpFilters.Any(f => f is L7PolicyConfig);
        if (!metadata && l7)
        {
            throw terminal.Field("http_filters").Error(
                "cilium.l7policy needs the identities of cilium.bpf_metadata, without which it answers every request with 500; add it to listener_filters");
        }
        if (!metadata && network)
        {
            throw path.Item(0).Error("cilium.network needs the identities of cilium.bpf_metadata; add it to listener_filters");
        }
        if (metadata && !network)
        {
            throw path.Error("the listener has cilium.bpf_metadata, but this chain would pass connections without a verdict; put cilium.network first");
        }
        if (metadata && manager is not null && !l7)
        {
            throw terminal.Field("http_filters").Error("the listener has cilium.bpf_metadata, but this chain would pass requests without a verdict; put cilium.l7policy before the router");
        }
    }
}
