using System;
using System.Collections.Generic;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds;

/// <summary>The clusters that a listener sends to, and whether they fit.</summary>
public static class ClusterReferences
{
    /// <summary>
    /// Checks every reference of a listener: the cluster exists, and an ORIGINAL_DST cluster stands behind a listener that knows
    /// original destinations (elsewhere it would connect to its own listener, for ever).
    /// </summary>
    /// <param name="listener">Validated.</param>
    /// <param name="clusters">By name.</param>
    /// <param name="unknownAllowed">True while clusters may still come from another source.</param>
    /// <returns>Null when all is well, else the path below the listener and the reason.</returns>
    public static (string Path, string Reason)? FindProblem(
        ListenerConfig listener, IReadOnlyDictionary<string, ClusterConfig> clusters, bool unknownAllowed)
    {
        var problem = FindProblem(listener, clusters, unknownAllowed, ConfigPath.Empty);
        return problem is null ? null : (problem.Path, problem.Reason);
    }

    internal static XdsConfigException? FindProblem(
        ListenerConfig listener, IReadOnlyDictionary<string, ClusterConfig> clusters, bool unknownAllowed, ConfigPath path)
    {
        var knowsOriginal = listener.Transparent
            || Resources.Listeners.Has<OriginalDstConfig>(listener.ListenerFilters)
            || Resources.Listeners.Has<BpfMetadataConfig>(listener.ListenerFilters);
        foreach (var (name, at) in Of(listener, path))
        {
            if (!clusters.TryGetValue(name, out var cluster))
            {
                if (!unknownAllowed)
                {
                    return at.Error($"unknown cluster {Printable.Quote(name)}{Suggest(name, clusters.Keys)}");
                }
            }
            else if (cluster.Type == ClusterType.OriginalDst && !knowsOriginal)
            {
                return at.Error($"cluster {Printable.Quote(name)} is ORIGINAL_DST, but this listener knows no original destinations; "
                    + "add cilium.bpf_metadata or envoy.filters.listener.original_dst to listener_filters");
            }
        }
        return null;
    }

    private static string Suggest(string name, IEnumerable<string> known) =>
        NearMiss.Find(name, known) is { } near ? $"; did you mean {Printable.Quote(near)}?" : "; define it under clusters";

    private static IEnumerable<(string Cluster, ConfigPath Path)> Of(ListenerConfig listener, ConfigPath path)
    {
        for (var i = 0; i < listener.FilterChains.Count; i++)
        {
            foreach (var reference in Of(listener.FilterChains[i], path.Field("filter_chains").Item(i)))
            {
                yield return reference;
            }
        }
        if (listener.DefaultFilterChain is { } chain)
        {
            foreach (var reference in Of(chain, path.Field("default_filter_chain")))
            {
                yield return reference;
            }
        }
    }

    private static IEnumerable<(string Cluster, ConfigPath Path)> Of(FilterChainConfig chain, ConfigPath path)
    {
        path = path.Field("filters").Item(chain.Filters.Count - 1).Field("typed_config");
        if (chain.Filters[^1] is TcpProxyConfig tcp)
        {
            yield return (tcp.Cluster, path.Field("cluster"));
        }
        if (chain.Filters[^1] is not HttpConnectionManagerConfig manager)
        {
            yield break;
        }
        if (manager.RouteConfig is not { } table)
        {
            yield break; // RDS: a route to a cluster that is not there answers 503
        }
        foreach (var (cluster, at) in Of(table, path.Field("route_config")))
        {
            yield return (cluster, at);
        }
    }

    private static IEnumerable<(string Cluster, ConfigPath Path)> Of(RouteConfig table, ConfigPath path)
    {
        path = path.Field("virtual_hosts");
        for (var i = 0; i < table.VirtualHosts.Count; i++)
        {
            var routes = table.VirtualHosts[i].Routes;
            for (var j = 0; j < routes.Count; j++)
            {
                yield return (routes[j].Cluster, path.Item(i).Field("routes").Item(j).Field("route").Field("cluster"));
            }
        }
    }
}
