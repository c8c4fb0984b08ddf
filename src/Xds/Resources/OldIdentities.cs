using System.Collections.Generic;
using Cilium;
using Google.Protobuf.Collections;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>
/// <c>deprecated_remote_policies_64</c>: field 1 of a rule until 2025, as older agents send it. It has the meaning of <c>remote_policies</c>,
/// and without it the rule would be one for any peer.
/// </summary>
internal static class OldIdentities
{
    /// <summary>Puts the lists into their rules.</summary>
    /// <param name="policy">Is changed.</param>
    /// <param name="lists">By the path of the rule below the policy.</param>
    public static void Merge(NetworkPolicy policy, IReadOnlyDictionary<string, List<uint>> lists)
    {
        if (lists.Count > 0)
        {
            Merge(policy.IngressPerPortPolicies, lists, ConfigPath.Empty.Field("ingress_per_port_policies"));
            Merge(policy.EgressPerPortPolicies, lists, ConfigPath.Empty.Field("egress_per_port_policies"));
        }
    }

    private static void Merge(RepeatedField<PortNetworkPolicy> ports, IReadOnlyDictionary<string, List<uint>> lists, ConfigPath path)
    {
        for (var i = 0; i < ports.Count; i++)
        {
            var rules = ports[i].Rules;
            for (var j = 0; j < rules.Count; j++)
            {
                var at = path.Item(i).Field("rules").Item(j);
                if (lists.TryGetValue(at.ToString(), out var identities) && identities.Count > 0)
                {
                    Merge(rules[j], identities, at);
                }
            }
        }
    }

    private static void Merge(PortNetworkPolicyRule rule, List<uint> identities, ConfigPath path)
    {
        if (rule.VerdictCase == PortNetworkPolicyRule.VerdictOneofCase.PassPrecedence)
        {
            throw path.Field("pass_precedence").Error("stands beside deprecated_remote_policies_64, which has the same number; send one of them");
        }
        if (rule.RemotePolicies.Count == 0)
        {
            rule.RemotePolicies.AddRange(identities);
        }
        else if (!new HashSet<uint>(rule.RemotePolicies).SetEquals(identities))
        {
            throw path.Field("remote_policies").Error("differs from deprecated_remote_policies_64 (1) of the same rule; send one of them");
        }
    }
}
