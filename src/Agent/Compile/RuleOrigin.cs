using Cilium;
using Postern.Agent.Model;
using Postern.Policy;

namespace Postern.Agent.Compile;

/// <summary>Where a rule that is served comes from.</summary>
/// <param name="Policy"><c>namespace/name</c>; also the name of the rule.</param>
/// <param name="Place">Within the policy: <c>spec.ingress[0].toPorts[1]</c>.</param>
/// <param name="Source">File and line of the policy.</param>
/// <param name="Direction">Of the endpoint's traffic.</param>
/// <param name="Port">0 is any.</param>
/// <param name="EndPort">0 for a single port.</param>
/// <param name="Rule">The rule alone, before it was merged with others.</param>
public sealed record RuleOrigin(string Policy, string Place, ObjectSource Source, TrafficDirection Direction, ushort Port, ushort EndPort, PortNetworkPolicyRule Rule)
{
    /// <summary>The listener that the rule hands its traffic to, or null.</summary>
    public string? Listener { get; init; }
}
