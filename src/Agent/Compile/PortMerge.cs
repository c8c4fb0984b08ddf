using System;
using System.Collections.Generic;
using System.Linq;
using Cilium;
using Google.Protobuf;

namespace Postern.Agent.Compile;

/// <summary>
/// Rules of one port as they are sent: deny for everybody stands alone; an unconditional allow makes the list empty, which allows all; the
/// wildcard port has one rule that allows and one that denies. The order is by content, so that it does not matter which policy came first.
/// </summary>
internal static class PortMerge
{
    private const int MaxNames = 4; // in the name of a merged rule

    /// <param name="port">0 is the wildcard.</param>
    /// <param name="rules">At least one.</param>
    public static List<PortNetworkPolicyRule> Merge(ushort port, IEnumerable<PortNetworkPolicyRule> rules)
    {
        var all = rules.ToList();
        if (port == 0)
        {
            all = [.. Join(all.Where(rule => rule.Deny && IsPlain(rule))), .. Join(all.Where(rule => !rule.Deny && IsPlain(rule))), .. all.Where(rule => !IsPlain(rule))];
        }
        var everybody = all.Where(rule => rule.Deny && rule.RemotePolicies.Count == 0).ToList();
        if (everybody.Count > 0)
        {
            return [.. Join(everybody)];
        }
        var unconditional = all.Any(rule => !rule.Deny && IsPlain(rule) && rule.RemotePolicies.Count == 0);
        if (unconditional && !all.Any(HasEffects))
        {
            return [];
        }
        return [.. all.Distinct()
            .OrderBy(rule => rule.Deny ? 0 : 1)
            .ThenBy(rule => rule.Name, StringComparer.Ordinal)
            .ThenBy(rule => Convert.ToHexString(rule.ToByteArray()), StringComparer.Ordinal)];
    }

    // Rules that must be seen even where everything is allowed: they deny, rewrite headers or say how TLS is done.
    private static bool HasEffects(PortNetworkPolicyRule rule) =>
        rule.Deny || rule.DownstreamTlsContext is not null || rule.UpstreamTlsContext is not null
        || (rule.HttpRules?.HttpRules.Any(http => http.HeaderMatches.Count > 0) ?? false);

    private static bool IsPlain(PortNetworkPolicyRule rule) =>
        rule.L7Case == PortNetworkPolicyRule.L7OneofCase.None && rule.L7Proto.Length == 0 && rule.ServerNames.Count == 0
        && rule.DownstreamTlsContext is null && rule.UpstreamTlsContext is null;

    private static IEnumerable<PortNetworkPolicyRule> Join(IEnumerable<PortNetworkPolicyRule> rules)
    {
        var all = rules.ToList();
        if (all.Count == 0)
        {
            yield break;
        }
        var names = all.Select(rule => rule.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var joined = new PortNetworkPolicyRule
        {
            Name = string.Join(", ", names.Take(MaxNames)) + (names.Count > MaxNames ? $" and {names.Count - MaxNames} more" : ""),
        };
        if (all[0].Deny)
        {
            joined.Deny = true;
        }
        if (all.All(rule => rule.RemotePolicies.Count > 0))
        {
            joined.RemotePolicies.AddRange(all.SelectMany(rule => rule.RemotePolicies).Distinct().Order());
        }
        yield return joined;
    }
}
