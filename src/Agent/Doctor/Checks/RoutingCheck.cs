using System;
using System.Collections.Generic;
using System.Globalization;
using Postern.Tproxy.Diagnosis;

namespace Postern.Agent.Doctor.Checks;

/// <summary>The ip rule and the routing table that deliver what bears mark 0x200.</summary>
public sealed class RoutingCheck : INodeCheck
{
    private const uint Mark = 0x200;
    private const uint Mask = 0xf00;
    private const string LocalType = "2";
    private const string LocalTable = "255";

    private static readonly FindingKind Fine = new("routing.fine", FindingLevel.Ok, "packets marked 0x200 are delivered to this host");
    private static readonly FindingKind Idle = new("routing.idle", FindingLevel.Info, "nothing is steered, so no rule is needed");
    private static readonly FindingKind NoRule = new("routing.no-rule", FindingLevel.Failure, "marked packets are forwarded past the proxy's sockets, or lost", "ip FAMILY rule add priority 9 fwmark 0x200/0xf00 lookup 2004 protocol 80 (a restart of the agent does it, too)");
    private static readonly FindingKind OtherFirst = new("routing.other-rule-first", FindingLevel.Failure, "a rule in front of ours catches packets marked 0x200: they never reach the proxy", "move it behind ours: ip FAMILY rule del …; ip FAMILY rule add priority N …, N above ours");
    private static readonly FindingKind NoRoute = new("routing.no-route", FindingLevel.Failure, "the table that marked packets are led to does not make them local", "ip FAMILY route add local default dev lo table 2004 proto 80");
    private static readonly FindingKind OtherRoute = new("routing.other-route", FindingLevel.Warning, "a narrower route in the steering's table takes packets away from the proxy", "ip FAMILY route del ROUTE table 2004");
    private static readonly FindingKind LocalMoved = new("routing.local-rule-moved", FindingLevel.Info, "the rule for the local table is not the first one (Cilium moves it to 100)");

    public IReadOnlyList<FindingKind> Kinds => [Fine, Idle, NoRule, OtherFirst, NoRoute, OtherRoute, LocalMoved];

    public IEnumerable<Finding> Check(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        foreach (var (name, family, isV6) in new[] { ("IPv4", facts.Network.V4, false), ("IPv6", facts.Network.V6, true) })
        {
            if (family is { IsEnabled: true, Rules: { } rules, Table: { } table })
            {
                var isNeeded = IsNeeded(facts, family, isV6);
                var bad = false;
                foreach (var finding in Look(facts, name, isV6 ? "-6" : "-4", rules, table, isNeeded))
                {
                    bad |= finding.Level >= FindingLevel.Warning;
                    yield return finding;
                }
                if (!bad)
                {
                    yield return isNeeded || Find(facts, rules) is not null
                        ? Fine.At(name, $"fwmark 0x200/0xf00 lookup {Table(facts)}, local default dev lo")
                        : Idle.At(name, "no rule");
                }
            }
        }
    }

    /// <summary>Our rule, whoever made it, or null.</summary>
    internal static RuleFacts? Find(NodeFacts facts, IReadOnlyList<RuleFacts> rules)
    {
        foreach (var rule in rules)
        {
            if (rule is { Mark: Mark, Mask: Mask, IsNarrow: false } && rule.Table == Table(facts))
            {
                return rule;
            }
        }
        return null;
    }

    /// <summary>Whether steering counts on the rule for this IP version.</summary>
    internal static bool IsNeeded(NodeFacts facts, FamilyFacts family, bool isV6)
    {
        if ((family.Mangle is { } mangle && IptablesRules.HasChain(mangle)) || (facts.HasEbpf && facts.RulesSource == RulesSource.Nobody))
        {
            return true;
        }
        foreach (var rule in facts.Rules)
        {
            if ((rule.Destination ?? rule.Source) is not { } net || net.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 == isV6)
            {
                return true;
            }
        }
        return false;
    }

    private static IEnumerable<Finding> Look(NodeFacts facts, string name, string flag, IReadOnlyList<RuleFacts> rules, IReadOnlyList<RouteFacts> table, bool isNeeded)
    {
        var ours = Find(facts, rules);
        if (ours is null && isNeeded)
        {
            yield return NoRule.At($"{name} rules", $"none with fwmark 0x200/0xf00 lookup {Table(facts)}", $"ip {flag} rule add priority {facts.Options.RulePriority} fwmark 0x200/0xf00 lookup {Table(facts)} protocol 80");
        }
        var isBefore = true;
        foreach (var rule in rules)
        {
            isBefore &= rule != ours;
            if (rule.Table == LocalTable && rule.Priority != 0)
            {
                yield return LocalMoved.At($"{name} rules", string.Create(CultureInfo.InvariantCulture, $"local table at priority {rule.Priority}"));
            }
            else if (ours is not null && isBefore && rule.Table != LocalTable && rule.Table != Table(facts) && Catches(rule))
            {
                yield return OtherFirst.At($"{name} rules", rule.Raw, string.Create(CultureInfo.InvariantCulture, $"ip {flag} rule del priority {rule.Priority}, and add it again with a priority above {ours.Priority}"));
            }
        }
        if (!isNeeded && ours is null)
        {
            yield break;
        }
        var hasDefault = false;
        foreach (var route in table)
        {
            if (route.Destination == "default")
            {
                hasDefault |= route.Type == LocalType && route.Device == "lo";
            }
            else if (route.Type != LocalType)
            {
                yield return OtherRoute.At($"{name} table {Table(facts)}", $"{route.Destination} dev {route.Device}", $"ip {flag} route del {route.Destination} table {Table(facts)}");
            }
        }
        if (!hasDefault)
        {
            yield return NoRoute.At($"{name} table {Table(facts)}", table.Count == 0 ? "empty" : "no local default dev lo", $"ip {flag} route add local default dev lo table {Table(facts)} proto 80");
        }
    }

    // One that looks at addresses or devices, too, may catch some of ours; it is told only when it asks for our mark.
    private static bool Catches(RuleFacts rule) => rule.Mark is { } mark ? (Mark & rule.Mask & Mask) == (mark & rule.Mask & Mask) && (mark & rule.Mask & ~Mask) == 0 : !rule.IsNarrow;

    private static string Table(NodeFacts facts) => facts.Options.RouteTable.ToString(CultureInfo.InvariantCulture);
}
