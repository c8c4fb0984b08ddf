using System.Collections.Generic;

namespace Postern.Agent.Model;

/// <summary>A CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy.</summary>
/// <param name="Key">Kind and name.</param>
/// <param name="Source">Where it stands.</param>
/// <param name="Specs"><c>spec</c> and <c>specs</c>, in order.</param>
/// <param name="Warnings">What is read but not enforced; each names the policy.</param>
public sealed record PolicyObject(ObjectKey Key, ObjectSource Source, IReadOnlyList<PolicySpec> Specs, IReadOnlyList<string> Warnings)
    : NodeObject(Key, Source);

/// <summary>One spec of a policy.</summary>
public sealed record PolicySpec
{
    /// <summary>Its place: <c>spec</c> or <c>specs[2]</c>.</summary>
    public required string Place { get; init; }

    /// <summary>Which endpoints it is for, the policy's namespace included; null for a policy on nodes, which no endpoint has.</summary>
    public required LabelSelector? Subject { get; init; }

    /// <summary>ingress, ingressDeny, egress, egressDeny.</summary>
    public required IReadOnlyList<PolicyRule> Rules { get; init; }

    /// <summary>enableDefaultDeny.ingress; when it is not said: whether there are rules for ingress.</summary>
    public required DefaultDeny Ingress { get; init; }

    /// <summary>enableDefaultDeny.egress; when it is not said: whether there are rules for egress.</summary>
    public required DefaultDeny Egress { get; init; }
}

/// <summary>What a spec does to traffic that no rule speaks about.</summary>
public enum DefaultDeny
{
    /// <summary>Nothing: another policy may deny it.</summary>
    Off,

    /// <summary>It is denied.</summary>
    On,
}
