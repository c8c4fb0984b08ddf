using System;
using System.Collections.Generic;
using Postern.Policy.Compile;
using Postern.Policy.Config;
using Postern.Policy.Http;

namespace Postern.Policy;

/// <summary>
/// Compiled rules of one port (range) of one endpoint and direction. Equal rule lists share one object, also across endpoints.
/// </summary>
/// <remarks>
/// How a verdict is found (the order is Cilium's): rules stand sorted by precedence, highest first, inside one precedence deny, allow, pass.
/// A rule speaks if its proxy_id, identity and (network and TLS level) SNI match. Deny ends the walk; allow ends it, too, except that
/// header matches of the same precedence still run; pass jumps to the first rule below its pass_precedence; the end of the list denies.
/// The identity picks its own rules by one hash look-up, so the cost depends on how many rules name this identity or any identity,
/// not on how many there are.
/// </remarks>
public sealed partial class PortPolicy
{
    /// <summary>Used when the endpoint has no policy: denies everything with <see cref="PolicyReason.NoPolicyForEndpoint"/>.</summary>
    public static readonly PortPolicy NoPolicy = new(PolicyReason.NoPolicyForEndpoint);

    /// <summary>Used when the direction has no entries: denies everything with <see cref="PolicyReason.NoRulesForDirection"/>.</summary>
    public static readonly PortPolicy NoRulesForDirection = new(PolicyReason.NoRulesForDirection);

    /// <summary>Used when no entry covers the port: denies everything with <see cref="PolicyReason.NoRulesForPort"/>.</summary>
    public static readonly PortPolicy NoRulesForPort = new(PolicyReason.NoRulesForPort);

    private readonly PolicyReason fixedDenial; // Allowed: there is none
    private readonly RuleBody[] any = [];
    private readonly RuleClass[] classes = [];
    private readonly IdentityTable identities = IdentityTable.Empty;
    private readonly bool judgesHttp;

    private PortPolicy(PolicyReason denial)
    {
        fixedDenial = denial;
        judgesHttp = true;
        Key = RuleListKey.Empty;
        HttpRuleSets = [];
    }

    internal PortPolicy(RuleListKey key, RuleBody[] any, RuleClass[] classes, IdentityTable identities, HttpRuleSet[] httpRuleSets, bool hasOtherProtocolRules)
    {
        Key = key;
        this.any = any;
        this.classes = classes;
        this.identities = identities;
        HttpRuleSets = httpRuleSets;
        HasOtherProtocolRules = hasOtherProtocolRules;
        judgesHttp = httpRuleSets.Length > 0 || hasOtherProtocolRules;
        foreach (var set in httpRuleSets)
        {
            HasHeaderMatches |= set.HasHeaderMatches;
        }
    }

    /// <summary>
    /// True when requests must be judged one by one: some rule of the port has http_rules; or a rule is about another protocol, which must
    /// not let HTTP through; or nothing covers the port (any more), so that requests on a connection opened under an older policy are denied.
    /// </summary>
    public bool HasHttpRules => judgesHttp;

    /// <summary>True when no entry stands behind this object: everything is denied, see <see cref="EvaluateNetwork"/> for the reason.</summary>
    public bool IsAbsent => fixedDenial != PolicyReason.Allowed;

    /// <summary>True when a rule has header_matches, so that <see cref="EvaluateHttp"/> may change the request.</summary>
    public bool HasHeaderMatches { get; }

    /// <summary>True when a rule has kafka_rules, l7_rules or l7_proto: a listener that does not run that parser must not forward bytes.</summary>
    public bool HasOtherProtocolRules { get; }

    /// <summary>The rules in evaluation order, for dumps.</summary>
    public IReadOnlyList<PortRuleConfig> Rules => Key.Configs;

    internal RuleListKey Key { get; }

    internal HttpRuleSet[] HttpRuleSets { get; }

    internal IdentityTable Identities => identities;

    private bool AllowsAll => Key.Count == 0;

    private RuleWalk Walk(uint remoteIdentity)
    {
        var found = identities.Find(remoteIdentity);
        return new RuleWalk(any, found < 0 ? RuleClass.Empty : classes[found]);
    }

    private static PolicyVerdict Allow(string rule) => new(PolicyDecision.Allow, PolicyReason.Allowed, rule);

    private static PolicyVerdict Deny(string rule) => new(PolicyDecision.Deny, PolicyReason.DenyRule, rule);

    private static PolicyVerdict Nothing(PolicyReason reason) => new(PolicyDecision.None, reason, "");
}
