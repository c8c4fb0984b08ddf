using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using Cilium;
using Postern.Agent.Identities;
using Postern.Agent.Model;

namespace Postern.Agent.Compile;

/// <summary>NPHDS: which address is whose. The longest prefix wins, so an endpoint's own address beats every CIDR.</summary>
internal static class HostCompiler
{
    /// <summary>By identity. The world has no entry unless its families are told apart.</summary>
    public static List<NetworkPolicyHosts> Compile(NodeModel model, IdentityBook identities, IReadOnlyCollection<IPAddress> hostAddresses)
    {
        var hosts = new SortedDictionary<uint, SortedSet<string>>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var endpoint in model.Endpoints)
        {
            if (identities.OfEndpoint.TryGetValue(endpoint.Key, out var identity))
            {
                foreach (var address in endpoint.Addresses)
                {
                    Add(identity, $"{address}/{address.GetAddressBytes().Length * 8}");
                }
            }
        }
        // Else a rule for the world, or for a CIDR around the node, would open the node's own services to a pod.
        foreach (var address in hostAddresses)
        {
            Add(ReservedIdentities.Host, $"{address}/{address.GetAddressBytes().Length * 8}");
        }
        foreach (var (prefix, identity) in identities.Cidrs)
        {
            Add(identity, $"{prefix.BaseAddress}/{prefix.PrefixLength}");
        }
        if (identities.IsWorldSplit)
        {
            Add(ReservedIdentities.WorldIpv4, "0.0.0.0/0");
            Add(ReservedIdentities.WorldIpv6, "::/0");
        }
        return [.. hosts.Select(pair => Hosts(pair.Key, pair.Value))];

        void Add(uint identity, string prefix)
        {
            // A prefix may stand once in all of NPHDS.
            if (taken.Add(prefix))
            {
                (hosts.TryGetValue(identity, out var row) ? row : hosts[identity] = new SortedSet<string>(StringComparer.Ordinal)).Add(prefix);
            }
        }
    }

    private static NetworkPolicyHosts Hosts(uint identity, SortedSet<string> prefixes)
    {
        var built = new NetworkPolicyHosts { Policy = identity };
        built.HostAddresses.AddRange(prefixes);
        return built;
    }
}
