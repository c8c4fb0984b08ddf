namespace Postern.Policy;

/// <summary>What the rules said.</summary>
public enum PolicyDecision
{
    /// <summary>No rule gave a verdict: denied.</summary>
    None,

    /// <summary>Allowed.</summary>
    Allow,

    /// <summary>A deny rule matched.</summary>
    Deny,
}

/// <summary>Why: one word per cause, used as metric label and in records. Anything but <see cref="Allowed"/> is a refusal.</summary>
public enum PolicyReason
{
    /// <summary>A rule (or an empty rule list) allowed it.</summary>
    Allowed,

    /// <summary>No policy is known for the endpoint's address.</summary>
    NoPolicyForEndpoint,

    /// <summary>The direction has no entries: deny all.</summary>
    NoRulesForDirection,

    /// <summary>No entry covers the port.</summary>
    NoRulesForPort,

    /// <summary>A deny rule matched.</summary>
    DenyRule,

    /// <summary>Entries cover the port, none matched the remote identity (or the listener's proxy_id).</summary>
    NoRuleForIdentity,

    /// <summary>A rule would have matched but for its server_names.</summary>
    ServerNameMismatch,

    /// <summary>The rule wants TLS terminated or originated, which the listener's filter chain does not do.</summary>
    TlsContextRequired,

    /// <summary>Rules matched the identity, none accepted the HTTP request.</summary>
    NoHttpRuleMatched,
}

/// <summary>A verdict with its cause.</summary>
/// <param name="Decision">Allow, Deny or None.</param>
/// <param name="Reason">The cause.</param>
/// <param name="RuleName">Name of the deciding rule, or empty.</param>
public readonly record struct PolicyVerdict(PolicyDecision Decision, PolicyReason Reason, string RuleName)
{
    /// <summary>True only for <see cref="PolicyDecision.Allow"/>.</summary>
    public bool IsAllowed => Decision == PolicyDecision.Allow;
}
