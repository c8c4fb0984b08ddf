using System.Collections.Generic;
using System.Text.Json;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Xds;

namespace Postern.Proxy.PolicyTest;

/// <summary>
/// Kinds policy, policy_derived, http, http_l7lb (the remote side is the endpoint that was chosen), tls_http, tls_tcp and websocket: one full update, then requests against what is in force. After a refused update that is
/// <c>policy_in_force_after_reject</c>, or nothing.
/// </summary>
internal static class PolicyCase
{
    public static void Run(JsonElement @case, CaseReport report)
    {
        if (CaseJson.Field(@case, "policy") is null)
        {
            throw new CaseFormatException("'policy' is missing: a list of NetworkPolicy objects");
        }
        var origin = new UpdateOrigin(CaseJson.Text(@case, "version_info") ?? "", UpdateStream.New);
        var snapshot = CaseUpdate.Apply(@case, report, () => PolicySnapshot.Compile(Read(@case, "policy"), null, origin))
            ?? PolicySnapshot.Compile(Read(@case, "policy_in_force_after_reject"), null, origin);
        CheckSnapshot(@case, snapshot, report);
        var context = CaseJson.Field(@case, "context");
        var secrets = new CaseSecrets(context);
        var kind = CaseJson.Text(@case, "kind") ?? "policy";
        var index = 0;
        foreach (var request in CaseJson.Items(@case, "requests"))
        {
            try
            {
                RequestCheck.Run(request, context, snapshot, secrets, report, index, kind);
            }
            catch (CaseFormatException error)
            {
                throw new CaseFormatException($"requests[{index}]: {error.Message}");
            }
            index++;
        }
    }

    private static List<NetworkPolicyConfig> Read(JsonElement @case, string field)
    {
        var resources = new List<NetworkPolicyConfig>();
        foreach (var item in CaseJson.Items(@case, field))
        {
            resources.Add(PolicyResources.ReadNetworkPolicy(item, $"{field}[{resources.Count}]"));
        }
        return resources;
    }

    private static void CheckSnapshot(JsonElement @case, PolicySnapshot snapshot, CaseReport report)
    {
        var failures = new List<string>();
        if (CaseJson.Field(@case, "expect_policy_exists") is { ValueKind: JsonValueKind.Object } exists)
        {
            foreach (var address in exists.EnumerateObject())
            {
                var wanted = address.Value.ValueKind == JsonValueKind.True;
                if (wanted != (snapshot.FindEndpoint(address.Name) is not null))
                {
                    failures.Add($"expect_policy_exists: expected {(wanted ? "a" : "no")} policy for {address.Name}");
                }
            }
        }
        if (CaseJson.Field(@case, "expect_rule_table") is { ValueKind: JsonValueKind.Object } table)
        {
            RuleTableCheck.Run(table, snapshot, failures);
        }
        if (failures.Count > 0)
        {
            report.Write(new System.Text.Json.Nodes.JsonObject { ["case"] = report.Case, ["ok"] = false }, failures);
        }
    }
}
