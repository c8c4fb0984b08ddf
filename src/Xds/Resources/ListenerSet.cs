using System;
using System.Collections.Generic;
using System.Net;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>What must hold between the listeners (and between the clusters) of one update.</summary>
public static class ListenerSet
{
    /// <summary>The first thing that is wrong between these listeners: which of them, the path within it and the reason; null when all is well.</summary>
    public static (string Listener, string Path, string Reason)? FindProblem(IReadOnlyList<ListenerConfig> listeners)
    {
        var at = 0;
        try
        {
            Check(listeners, i =>
            {
                at = i;
                return ConfigPath.Empty;
            });
            return null;
        }
        catch (XdsConfigException e)
        {
            return (listeners[at].Name, e.Path, e.Reason);
        }
    }

    /// <summary>Names and addresses are unique, and there is one policy source: a process has one policy map.</summary>
    internal static void Check(IReadOnlyList<ListenerConfig> listeners, Func<int, ConfigPath> path)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var addresses = new Dictionary<IPEndPoint, string>();
        ConfigSourceConfig? policySource = null;
        for (var i = 0; i < listeners.Count; i++)
        {
            var listener = listeners[i];
            if (!names.Add(listener.Name))
            {
                throw path(i).Field("name").Error($"a second listener named {Printable.Quote(listener.Name)}");
            }
            foreach (var address in listener.Addresses)
            {
                if (address.Port != 0 && !addresses.TryAdd(address, listener.Name))
                {
                    throw path(i).Field("address").Error($"{address} is taken by listener {Printable.Quote(addresses[address])}");
                }
            }
            for (var j = 0; j < listener.ListenerFilters.Count; j++)
            {
                if (listener.ListenerFilters[j] is BpfMetadataConfig metadata && metadata.PolicySource != (policySource ??= metadata.PolicySource))
                {
                    throw path(i).Field("listener_filters").Item(j).Field("typed_config").Field("cilium_config_source").Error(
                        $"another listener takes its policy from {Printable.Quote(policySource.ToString()!)}; a process has one policy source");
                }
            }
        }
    }

    /// <summary>Names are unique.</summary>
    internal static void Check(IReadOnlyList<ClusterConfig> clusters, Func<int, ConfigPath> path)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < clusters.Count; i++)
        {
            if (!names.Add(clusters[i].Name))
            {
                throw path(i).Field("name").Error($"a second cluster named {Printable.Quote(clusters[i].Name)}");
            }
        }
    }
}
