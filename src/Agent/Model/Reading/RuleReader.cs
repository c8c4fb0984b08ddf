using System.Collections.Generic;
using Postern.Policy;

namespace Postern.Agent.Model.Reading;

/// <summary>One item of ingress, ingressDeny, egress, egressDeny.</summary>
internal static class RuleReader
{
    public static PolicyRule Read(FieldCursor rule, string place, TrafficDirection direction, RuleEffect effect, ObjectMetadata metadata, bool isOnNode)
    {
        var where = $"{metadata.Key} {place}";
        var peers = PeerReader.Read(rule, where, direction, effect, metadata);
        var alwaysFails = ReadAuthentication(rule, where, effect);
        var icmps = ReadIcmps(rule, where);
        List<PortRule>? ports = null;
        var items = rule.Field("toPorts")?.Items() ?? [];
        for (var i = 0; i < items.Count; i++)
        {
            (ports ??= []).Add(PortRuleReader.Read(items[i], $"toPorts[{i}]", where, direction, effect, metadata, isOnNode));
        }
        if (icmps && ports is not null)
        {
            rule.Refuse("has icmps and toPorts; write two rules");
        }
        rule.RefuseUnknown();
        return new PolicyRule
        {
            Direction = direction,
            Effect = effect,
            Place = place,
            Peers = alwaysFails ? [new UnresolvedPeer("authentication")] : peers,
            ToPorts = ports,
            IsIcmpOnly = icmps,
        };
    }

    private static bool ReadAuthentication(FieldCursor rule, string where, RuleEffect effect)
    {
        if (effect == RuleEffect.Deny || rule.Field("authentication") is not { } field)
        {
            return false;
        }
        var mode = field.Required("mode")?.Choice("disabled", "required", "test-always-fail", "always-fail") ?? "disabled";
        field.RefuseUnknown();
        if (mode == "required")
        {
            rule.Problems.Warn($"{where}: authentication: mutual authentication is not built in yet; the rule allows its peers without it");
        }
        return mode.EndsWith("always-fail", System.StringComparison.Ordinal);
    }

    private static bool ReadIcmps(FieldCursor rule, string where)
    {
        if (rule.Field("icmps") is not { } field)
        {
            return false;
        }
        foreach (var item in field.Items())
        {
            foreach (var entry in item.Field("fields")?.Items() ?? [])
            {
                entry.Field("family")?.Choice("IPv4", "IPv6");
                entry.Required("type");
                entry.RefuseUnknown();
            }
            item.RefuseUnknown();
        }
        rule.Problems.Warn($"{where}: icmps: only TCP comes to the proxy; ICMP is neither allowed nor denied here");
        return true;
    }
}
