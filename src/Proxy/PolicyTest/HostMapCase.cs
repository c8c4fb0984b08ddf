using System.Collections.Generic;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Xds;

namespace Postern.Proxy.PolicyTest;

/// <summary>Kind nphds_host_map: an identity map and look-ups.</summary>
internal static class HostMapCase
{
    public static void Run(JsonElement @case, CaseReport report)
    {
        if (CaseJson.Field(@case, "host_map") is null)
        {
            throw new CaseFormatException("'host_map' is missing");
        }
        var map = CaseUpdate.Apply(@case, report, () =>
        {
            var resources = new List<NetworkPolicyHostsConfig>();
            foreach (var item in CaseJson.Items(@case, "host_map"))
            {
                resources.Add(PolicyResources.ReadNetworkPolicyHosts(item, $"host_map[{resources.Count}]"));
            }
            return IdentityMap.Compile(resources);
        }) ?? IdentityMap.Empty;
        var index = 0;
        foreach (var lookup in CaseJson.Items(@case, "lookups"))
        {
            var text = CaseJson.Text(lookup, "ip") ?? throw new CaseFormatException($"lookups[{index}]: 'ip' is missing");
            if (!IPAddress.TryParse(text, out var address))
            {
                throw new CaseFormatException($"lookups[{index}]: '{text}' is no address");
            }
            var identity = map.Find(address);
            var expected = CaseJson.Number(lookup, "expect_identity");
            // An address nobody knows is the world's: vectors may say either.
            var ok = expected is null ? (bool?)null : expected == identity || (identity == Identities.Unknown && expected == Identities.World);
            report.Write(
                new JsonObject { ["case"] = report.Case, ["lookup"] = index, ["ip"] = text, ["identity"] = identity, ["expected"] = expected, ["ok"] = ok },
                ok == false ? [$"expect_identity: expected {expected}, got {identity}"] : []);
            index++;
        }
    }
}
