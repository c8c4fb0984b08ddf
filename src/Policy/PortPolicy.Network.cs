using System;
using Postern.Policy.Compile;
using Postern.Policy.Config;

namespace Postern.Policy;

/// <summary>Network level and TLS contexts: these look at the SNI.</summary>
public sealed partial class PortPolicy
{
    /// <summary>Network level: proxy_id, identity and SNI.</summary>
    /// <param name="remoteIdentity">Identity of the remote side.</param>
    /// <param name="sni">Server name the client sent, empty for none.</param>
    /// <param name="proxyId">The listener's proxy_id.</param>
    public PolicyVerdict EvaluateNetwork(uint remoteIdentity, ReadOnlySpan<char> sni, uint proxyId) =>
        EvaluateNetwork(remoteIdentity, sni, proxyId, Payload.Parsed);

    private enum Payload
    {
        Parsed,
        Opaque,
    }

    private PolicyVerdict EvaluateNetwork(uint remoteIdentity, ReadOnlySpan<char> sni, uint proxyId, Payload payload)
    {
        if (IsAbsent)
        {
            return Nothing(fixedDenial);
        }
        if (AllowsAll)
        {
            return Allow("");
        }
        var reason = PolicyReason.NoRuleForIdentity;
        var walk = Walk(remoteIdentity);
        while (walk.Next() is { } rule)
        {
            if (!rule.AppliesTo(proxyId))
            {
                continue;
            }
            if (!rule.MatchesServerName(sni))
            {
                // Nothing above gave a verdict, so with the right name this rule would have.
                reason = rule.Verdict == RuleVerdict.Allow ? PolicyReason.ServerNameMismatch : reason;
                continue;
            }
            switch (rule.Verdict)
            {
                case RuleVerdict.Deny:
                    return Deny(rule.Name);
                case RuleVerdict.Allow when payload == Payload.Opaque && (rule.HttpRules is not null || rule.IsOtherProtocol):
                    reason = PolicyReason.NoHttpRuleMatched;
                    break;
                case RuleVerdict.Allow:
                    return Allow(rule.Name);
                default:
                    walk.JumpBelow(rule.PassPrecedence);
                    break;
            }
        }
        return Nothing(reason);
    }

    /// <summary>
    /// Network level for a connection whose bytes nobody will parse (raw TCP, TLS passed through): a rule that looks inside (http_rules,
    /// kafka_rules, l7_rules, l7_proto) could not be enforced and gives no verdict. Upstream lets such connections pass; we do not.
    /// </summary>
    /// <param name="remoteIdentity">Identity of the remote side.</param>
    /// <param name="sni">Server name the client sent, empty for none.</param>
    /// <param name="proxyId">The listener's proxy_id.</param>
    public PolicyVerdict EvaluateOpaque(uint remoteIdentity, ReadOnlySpan<char> sni, uint proxyId) =>
        EvaluateNetwork(remoteIdentity, sni, proxyId, Payload.Opaque);

    /// <summary>
    /// Which TLS context a connection gets on one side. The first allow rule with a context wins, also below an allow rule without one;
    /// a deny ends the search.
    /// </summary>
    /// <param name="side">Downstream or upstream leg.</param>
    /// <param name="remoteIdentity">Identity of the remote side.</param>
    /// <param name="sni">Server name the client sent, empty for none.</param>
    /// <param name="proxyId">The listener's proxy_id.</param>
    public TlsContextSearch FindTlsContext(TlsSide side, uint remoteIdentity, ReadOnlySpan<char> sni, uint proxyId)
    {
        if (IsAbsent)
        {
            return new TlsContextSearch(TlsContextOutcome.Denied, null);
        }
        var allowed = AllowsAll;
        var walk = Walk(remoteIdentity);
        while (walk.Next() is { } rule)
        {
            if (!rule.AppliesTo(proxyId) || !rule.MatchesServerName(sni))
            {
                continue;
            }
            if (rule.Verdict == RuleVerdict.Deny)
            {
                break;
            }
            if (rule.Verdict == RuleVerdict.Pass)
            {
                if (!allowed)
                {
                    walk.JumpBelow(rule.PassPrecedence);
                }
                continue;
            }
            if ((side == TlsSide.Downstream ? rule.Downstream : rule.Upstream) is { } context)
            {
                return new TlsContextSearch(TlsContextOutcome.Context, context);
            }
            allowed = true;
        }
        return new TlsContextSearch(allowed ? TlsContextOutcome.Raw : TlsContextOutcome.Denied, null);
    }
}
