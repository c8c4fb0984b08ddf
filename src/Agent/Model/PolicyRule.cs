using System.Collections.Generic;
using Postern.Policy;

namespace Postern.Agent.Model;

/// <summary>One item of ingress, ingressDeny, egress or egressDeny.</summary>
public sealed record PolicyRule
{
    /// <summary>Which traffic of the endpoint it is about.</summary>
    public required TrafficDirection Direction { get; init; }

    /// <summary>Whether it allows or denies.</summary>
    public required RuleEffect Effect { get; init; }

    /// <summary>Its place below the spec: <c>ingress[0]</c>.</summary>
    public required string Place { get; init; }

    /// <summary>The other side, any of them; null when the rule names none. Empty selects nobody.</summary>
    public required IReadOnlyList<Peer>? Peers { get; init; }

    /// <summary>toPorts; null when the rule names none.</summary>
    public required IReadOnlyList<PortRule>? ToPorts { get; init; }

    /// <summary>The rule is about ICMP only: it says nothing about TCP.</summary>
    public bool IsIcmpOnly { get; init; }
}

/// <summary>What a rule does.</summary>
public enum RuleEffect
{
    /// <summary>Allows what it matches.</summary>
    Allow,

    /// <summary>Denies it, whatever else allows it.</summary>
    Deny,
}
