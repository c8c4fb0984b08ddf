using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Text.Json;
using Postern.Filters;
using Postern.Filters.Listener;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds;

namespace Postern.Tests.Proxy.Vectors;

/// <summary>The resources of a vector, through the decoder and the compiler that a running proxy uses.</summary>
internal static class VectorPolicy
{
    public static PolicyState State(JsonElement policy, IEnumerable<JsonElement> hosts, uint remote)
    {
        var resources = policy.EnumerateArray().Select((item, i) => PolicyResources.ReadNetworkPolicy(item, $"policy[{i}]")).ToList();
        var identities = hosts.Select((item, i) => PolicyResources.ReadNetworkPolicyHosts(item, $"host_map[{i}]")).ToList();
        if (identities.Count == 0)
        {
            identities.Add(new NetworkPolicyHostsConfig(remote, ["127.0.0.0/8", "::1/128"])); // the vector only names the number
        }
        return new PolicyState(PolicySnapshot.Compile(resources), IdentityMap.Compile(identities), "vector");
    }

    public static Dictionary<string, string> Secrets(JsonElement context) =>
        context.GetProperty("sds_secrets").EnumerateObject().ToDictionary(secret => secret.Name, secret => secret.Value.GetString()!);

    /// <summary>What <c>cilium.bpf_metadata</c> of the vector's listener makes of a connection between these two.</summary>
    public static ConnectionMetadata Resolve(TestPolicy policy, JsonElement context, IPEndPoint client, IPEndPoint destination)
    {
        var balanced = context.GetProperty("is_l7lb").GetBoolean();
        return new BpfMetadata
        {
            Direction = context.GetProperty("is_ingress").GetBoolean() ? TrafficDirection.Ingress : TrafficDirection.Egress,
            ProxyId = context.GetProperty("proxy_id").GetUInt32(),
            UseOriginalSourceAddress = balanced,
            IsL7Lb = balanced,
            MarkUpstream = false, // loopback, and no capability
            Policy = policy,
        }.Resolve(client, destination, context.GetProperty("connection_sni").GetString()!);
    }
}
