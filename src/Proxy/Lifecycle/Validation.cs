using System;
using System.Collections.Generic;
using Postern.Policy;
using Postern.Xds;
using Postern.Xds.Config;

namespace Postern.Proxy.Lifecycle;

/// <summary>What <c>--mode validate</c> checks besides the bootstrap: every file it points at that is there, down to compiled policy.</summary>
internal static class Validation
{
    public static IEnumerable<Action> Files(BootstrapConfig bootstrap)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        IReadOnlyList<ListenerConfig> discovered = [];
        if (bootstrap.CdsSource is FileSourceConfig { Path: var cds })
        {
            yield return () => ResourceFile.Load(cds, ResourceKinds.Cluster);
        }
        if (bootstrap.LdsSource is FileSourceConfig { Path: var lds })
        {
            yield return () => discovered = ResourceFile.Load(lds, ResourceKinds.Listener).Listeners;
        }
        foreach (var path in PolicyPaths([.. bootstrap.StaticListeners, .. discovered]))
        {
            if (seen.Add(path))
            {
                yield return () => CheckPolicy(path);
            }
        }
    }

    private static IEnumerable<string> PolicyPaths(IReadOnlyList<ListenerConfig> listeners)
    {
        foreach (var listener in listeners)
        {
            foreach (var filter in listener.ListenerFilters)
            {
                if (filter is BpfMetadataConfig { PolicySource: FileSourceConfig { Path: var path } })
                {
                    yield return path;
                }
            }
        }
    }

    private static void CheckPolicy(string path)
    {
        var file = ResourceFile.Load(path, ResourceKinds.Policy);
        try
        {
            PolicySnapshot.Compile(file.NetworkPolicies);
            IdentityMap.Compile(file.NetworkPolicyHosts);
        }
        catch (PolicyConfigException e)
        {
            throw new XdsConfigException("", e.Message, path, inner: e);
        }
    }
}
