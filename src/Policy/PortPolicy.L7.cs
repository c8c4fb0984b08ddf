using Postern.Policy.Compile;
using Postern.Policy.Config;

namespace Postern.Policy;

/// <summary>HTTP level, other protocols' rules and the choice of a parser: none of these looks at the SNI.</summary>
public sealed partial class PortPolicy
{
    /// <summary>HTTP level: does not look at SNI. Allowed when no rule of the port has http_rules. Header actions run on <paramref name="request"/>.</summary>
    /// <param name="remoteIdentity">Identity of the remote side.</param>
    /// <param name="proxyId">The listener's proxy_id.</param>
    /// <param name="request">The request; header_matches may change it, also when it is finally denied.</param>
    /// <param name="secrets">SDS values for value_sds_secret.</param>
    /// <param name="log">Collects missing and rejected headers for the record; reused per connection, the caller clears it.</param>
    public PolicyVerdict EvaluateHttp(uint remoteIdentity, uint proxyId, IHttpPolicyRequest request, ISecretSource secrets, HeaderMatchLog log)
    {
        if (IsAbsent)
        {
            return Nothing(fixedDenial);
        }
        if (!judgesHttp)
        {
            return Allow("");
        }
        var reason = PolicyReason.NoRuleForIdentity;
        RuleBody? allowedBy = null;
        var walk = Walk(remoteIdentity);
        while (walk.Next() is { } rule)
        {
            if (allowedBy is not null && rule.Precedence < allowedBy.Precedence)
            {
                break;
            }
            if (!rule.AppliesTo(proxyId))
            {
                continue;
            }
            switch (rule.Verdict)
            {
                case RuleVerdict.Deny:
                    return Deny(rule.Name);
                case RuleVerdict.Allow:
                    if (rule.IsOtherProtocol || (rule.HttpRules is not null && !rule.HttpRules.Accepts(request, secrets, log)))
                    {
                        reason = PolicyReason.NoHttpRuleMatched;
                        break;
                    }
                    if (!HasHeaderMatches)
                    {
                        return Allow(rule.Name);
                    }
                    allowedBy ??= rule;
                    break;
                default:
                    if (allowedBy is null)
                    {
                        walk.JumpBelow(rule.PassPrecedence);
                    }
                    break;
            }
        }
        return allowedBy is null ? Nothing(reason) : Allow(allowedBy.Name);
    }

    /// <summary>
    /// Metadata level, as far as l7_rules can be judged without connection metadata. An entry with metadata matchers is in doubt: as a deny
    /// entry it is taken to match, as an allow entry it is taken not to. An entry without any matches everything.
    /// </summary>
    /// <param name="remoteIdentity">Identity of the remote side.</param>
    /// <param name="proxyId">The listener's proxy_id.</param>
    public PolicyVerdict EvaluateL7Rules(uint remoteIdentity, uint proxyId)
    {
        if (IsAbsent)
        {
            return Nothing(fixedDenial);
        }
        if (AllowsAll)
        {
            return Allow("");
        }
        var walk = Walk(remoteIdentity);
        while (walk.Next() is { } rule)
        {
            if (!rule.AppliesTo(proxyId))
            {
                continue;
            }
            switch (rule.Verdict)
            {
                case RuleVerdict.Deny:
                    return Deny(rule.Name);
                case RuleVerdict.Pass:
                    walk.JumpBelow(rule.PassPrecedence);
                    break;
                case RuleVerdict.Allow when rule.L7Proto.Length == 0 || rule.L7Rules is null:
                    return Allow(rule.Name);
                default:
                    if (rule.L7Rules!.DenyRules.Count > 0)
                    {
                        return Deny(rule.Name);
                    }
                    if (rule.L7Rules.AllowRules.Count == 0 || HasUnconditional(rule.L7Rules.AllowRules))
                    {
                        return Allow(rule.Name);
                    }
                    break;
            }
        }
        return Nothing(PolicyReason.NoRuleForIdentity);
    }

    /// <summary>
    /// The parser that rules select for a connection: l7_proto of the first allow rule that has one. Null when none does. An empty rule list
    /// gives "" (Cilium's answer is the same): no parser has that name, so a listener that needs one must close the connection.
    /// </summary>
    /// <param name="remoteIdentity">Identity of the remote side.</param>
    /// <param name="proxyId">The listener's proxy_id.</param>
    public string? FindProxylibParser(uint remoteIdentity, uint proxyId)
    {
        if (IsAbsent)
        {
            return null;
        }
        if (AllowsAll)
        {
            return "";
        }
        var walk = Walk(remoteIdentity);
        while (walk.Next() is { } rule)
        {
            if (!rule.AppliesTo(proxyId))
            {
                continue;
            }
            if (rule.Verdict == RuleVerdict.Deny)
            {
                return null;
            }
            if (rule.Verdict == RuleVerdict.Pass)
            {
                walk.JumpBelow(rule.PassPrecedence);
            }
            else if (rule.L7Proto.Length > 0)
            {
                return rule.L7Proto;
            }
        }
        return null;
    }

    private static bool HasUnconditional(EquatableList<L7RuleConfig> rules)
    {
        foreach (var rule in rules.AsSpan())
        {
            // "rule" pairs are for proxylib parsers; on this level they are conditions nobody here can judge.
            if (!rule.HasMetadataRules && rule.Rule.Count == 0)
            {
                return true;
            }
        }
        return false;
    }
}
