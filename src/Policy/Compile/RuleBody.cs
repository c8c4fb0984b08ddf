using Postern.Policy.Config;
using Postern.Policy.Http;

namespace Postern.Policy.Compile;

internal enum RuleVerdict
{
    // In the order of the sort inside one precedence.
    Deny,
    Allow,
    Pass,
}

/// <summary>
/// A rule without its identities, compiled. Identities live in the port's index, so rules that differ in nothing else share one body, and
/// a port with 100,000 identities may need a handful of bodies that stay in the processor's cache.
/// </summary>
internal sealed class RuleBody
{
    public required RuleVerdict Verdict { get; init; }

    public required uint Precedence { get; init; }

    public required uint PassPrecedence { get; init; }

    public required uint ProxyId { get; init; }

    public required string Name { get; init; }

    /// <summary>Null when any SNI, also none, will do.</summary>
    public required SniPattern[]? ServerNames { get; init; }

    public required HttpRuleSet? HttpRules { get; init; }

    /// <summary>
    /// True for an allow rule that is about another protocol (kafka_rules, l7_rules or l7_proto, and no http_rules). On the network level
    /// it allows the connection, so that its own parser can judge; on the HTTP level it gives no verdict, because what it allows is not
    /// HTTP. Cilium's proxy takes it there as a rule without conditions.
    /// </summary>
    public required bool IsOtherProtocol { get; init; }

    public required string L7Proto { get; init; }

    public required L7RulesConfig? L7Rules { get; init; }

    public required TlsContextConfig? Downstream { get; init; }

    public required TlsContextConfig? Upstream { get; init; }

    public bool AppliesTo(uint proxyId) => ProxyId == 0 || ProxyId == proxyId;

    public bool MatchesServerName(System.ReadOnlySpan<char> sni)
    {
        if (ServerNames is null)
        {
            return true;
        }
        foreach (var pattern in ServerNames)
        {
            if (pattern.Matches(sni))
            {
                return true;
            }
        }
        return false;
    }
}
