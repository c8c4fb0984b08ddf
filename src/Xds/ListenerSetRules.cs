using System;
using System.Collections.Generic;
using System.Net;
using Postern.Xds.Config;
using Postern.Xds.Text;

namespace Postern.Xds;

/// <summary>What must hold between the listeners of a process, whatever source they come from.</summary>
public static class ListenerSetRules
{
    /// <summary>Names and addresses are unique, and there is one policy source: a process has one policy map.</summary>
    /// <param name="listeners">All of them, each validated on its own.</param>
    /// <returns>Null when all is well, else which listener is at fault, the path below it and the reason.</returns>
    public static (int Index, string Path, string Reason)? FindProblem(IReadOnlyList<ListenerConfig> listeners) =>
        Find(listeners, out var index) is { } problem ? (index, problem.Path, problem.Reason) : null;

    internal static void Check(IReadOnlyList<ListenerConfig> listeners, Func<int, ConfigPath> path)
    {
        if (Find(listeners, out var index) is { } problem)
        {
            throw path(index).Below(problem.ConfigPath!).Error(problem.Reason);
        }
    }

    private static XdsConfigException? Find(IReadOnlyList<ListenerConfig> listeners, out int index)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var addresses = new Dictionary<IPEndPoint, string>();
        ConfigSourceConfig? policySource = null;
        for (index = 0; index < listeners.Count; index++)
        {
            var listener = listeners[index];
            if (!names.Add(listener.Name))
            {
                return ConfigPath.Empty.Field("name").Error($"a second listener named {Printable.Quote(listener.Name)}");
            }
            foreach (var address in listener.Addresses)
            {
                if (address.Port != 0 && !addresses.TryAdd(address, listener.Name))
                {
                    return ConfigPath.Empty.Field("address").Error($"{address} is taken by listener {Printable.Quote(addresses[address])}");
                }
            }
            for (var j = 0; j < listener.ListenerFilters.Count; j++)
            {
                if (listener.ListenerFilters[j] is BpfMetadataConfig metadata && metadata.PolicySource != (policySource ??= metadata.PolicySource))
                {
                    return ConfigPath.Empty.Field("listener_filters").Item(j).Field("typed_config").Field("cilium_config_source").Error(
                        $"another listener takes its policy from {Printable.Quote(policySource.ToString()!)}; a process has one policy source");
                }
            }
        }
        return null;
    }
}
