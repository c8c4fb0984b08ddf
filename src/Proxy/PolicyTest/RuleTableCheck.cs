using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using Postern.Policy;
using Postern.Policy.Config;

namespace Postern.Proxy.PolicyTest;

/// <summary>Compares <c>expect_rule_table</c>: endpoint IP → direction → "start-end" → rules in order, with the fields the vector names.</summary>
internal static class RuleTableCheck
{
    public static void Run(JsonElement table, PolicySnapshot snapshot, List<string> failures)
    {
        foreach (var endpoint in table.EnumerateObject())
        {
            if (snapshot.FindEndpoint(endpoint.Name) is not { } policy)
            {
                failures.Add($"expect_rule_table: no policy for {endpoint.Name}");
                continue;
            }
            foreach (var direction in endpoint.Value.EnumerateObject())
            {
                var side = direction.Name == "ingress" ? TrafficDirection.Ingress : TrafficDirection.Egress;
                Compare($"expect_rule_table {endpoint.Name} {direction.Name}", direction.Value, policy.Ranges(side), failures);
            }
        }
    }

    private static void Compare(string where, JsonElement expected, IReadOnlyList<PortRangePolicy> ranges, List<string> failures)
    {
        var actual = ranges.ToDictionary(range => $"{range.Start}-{range.End}", range => range.Policy.Rules);
        foreach (var range in expected.EnumerateObject())
        {
            if (!actual.Remove(range.Name, out var rules))
            {
                failures.Add($"{where}: no range {range.Name}");
                continue;
            }
            var wanted = string.Join(" ", range.Value.EnumerateArray().Select(Describe));
            var got = string.Join(" ", rules.Select(Describe));
            if (wanted != got)
            {
                failures.Add($"{where} {range.Name}: expected {wanted}, got {got}");
            }
        }
        foreach (var range in actual.Keys)
        {
            failures.Add($"{where}: unexpected range {range}");
        }
    }

    private static string Describe(JsonElement rule) => Describe(
        CaseJson.Items(rule, "remotes").Select(item => item.GetUInt32()),
        CaseJson.Flag(rule, "deny") ?? false,
        CaseJson.Number(rule, "precedence") ?? 0,
        CaseJson.Number(rule, "pass_precedence") ?? 0,
        CaseJson.Number(rule, "proxy_id") ?? 0);

    private static string Describe(PortRuleConfig rule) => Describe(rule.RemotePolicies, rule.Deny, rule.Precedence, rule.PassPrecedence, rule.ProxyId);

    private static string Describe(IEnumerable<uint> remotes, bool deny, uint precedence, uint pass, uint proxyId) =>
        $"{{remotes [{string.Join(",", remotes.Order())}] deny {deny} precedence {precedence} pass {pass} proxy_id {proxyId}}}";
}
