using System.Collections.Generic;
using Postern.Policy;

namespace Postern.Agent.Model.Reading;

/// <summary>CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy.</summary>
internal static class PolicyReader
{
    private const int MaxRules = 10_000; // of one policy

    private static readonly (string Field, TrafficDirection Direction, RuleEffect Effect)[] Lists =
    [
        ("ingress", TrafficDirection.Ingress, RuleEffect.Allow),
        ("ingressDeny", TrafficDirection.Ingress, RuleEffect.Deny),
        ("egress", TrafficDirection.Egress, RuleEffect.Allow),
        ("egressDeny", TrafficDirection.Egress, RuleEffect.Deny),
    ];

    public static NodeObject Read(FieldCursor root, ObjectMetadata metadata)
    {
        var specs = new List<PolicySpec>();
        var one = root.Field("spec");
        var many = root.Field("specs");
        if (one is not null)
        {
            specs.Add(ReadSpec(one, "spec", metadata));
        }
        var items = many?.Items() ?? [];
        for (var i = 0; i < items.Count; i++)
        {
            specs.Add(ReadSpec(items[i], $"specs[{i}]", metadata));
        }
        if (specs.Count == 0)
        {
            root.Refuse("has neither spec nor specs");
        }
        return new PolicyObject(metadata.Key, metadata.Source, specs, root.Problems.Warnings);
    }

    private static PolicySpec ReadSpec(FieldCursor spec, string place, ObjectMetadata metadata)
    {
        var subjectField = spec.Field("endpointSelector");
        var nodeField = spec.Field("nodeSelector");
        if ((subjectField is null) == (nodeField is null))
        {
            spec.Refuse(subjectField is null ? "has no endpointSelector" : "has endpointSelector and nodeSelector; keep one of them");
        }
        if (nodeField is not null)
        {
            SelectorReader.Read(nodeField);
            if (metadata.Key.Namespace.Length > 0)
            {
                nodeField.Refuse("a CiliumNetworkPolicy has no nodeSelector; write a CiliumClusterwideNetworkPolicy");
            }
            spec.Problems.Warn($"{metadata.Key} {place}: nodeSelector: policy on the node itself is not enforced; it selects no endpoint");
        }
        var subject = subjectField is null ? null : SelectorReader.ReadSubject(subjectField, metadata.Key.Namespace);
        var rules = new List<PolicyRule>();
        var spoken = new bool[2];
        foreach (var (field, direction, effect) in Lists)
        {
            var items = spec.Field(field)?.Items() ?? [];
            for (var i = 0; i < items.Count; i++)
            {
                spoken[(int)direction] = true;
                rules.Add(RuleReader.Read(items[i], $"{field}[{i}]", direction, effect, metadata, subject is null));
            }
        }
        if (rules.Count > MaxRules)
        {
            spec.Refuse($"has more than {MaxRules} rules; split the policy");
        }
        var defaults = spec.Field("enableDefaultDeny");
        var ingress = defaults?.Field("ingress")?.Flag() ?? spoken[(int)TrafficDirection.Ingress];
        var egress = defaults?.Field("egress")?.Flag() ?? spoken[(int)TrafficDirection.Egress];
        defaults?.RefuseUnknown();
        spec.Ignore("description", "labels");
        spec.RefuseUnknown();
        return new PolicySpec
        {
            Place = place,
            Subject = subject,
            Rules = rules,
            Ingress = ingress ? DefaultDeny.On : DefaultDeny.Off,
            Egress = egress ? DefaultDeny.On : DefaultDeny.Off,
        };
    }
}
