using System.Collections.Generic;
using Postern.Agent.Serve;
using Postern.Xds.Discovery;

namespace Postern.Agent.Envoy;

/// <summary>What came of a rollout.</summary>
/// <param name="ByType">
/// For each type. Routes, endpoints, secrets and hosts are not waited for: a timeout there says only that the proxy has not spoken yet, or does
/// not use them.
/// </param>
public sealed record RolloutResult(IReadOnlyDictionary<ResourceType, AckResult> ByType)
{
    /// <summary>Listeners are in force: steering may be installed.</summary>
    public bool HasListeners => ByType[ResourceType.Listener].Outcome == AckOutcome.Acked;

    /// <summary>Policies are in force.</summary>
    public bool HasPolicies => ByType[ResourceType.NetworkPolicy].Outcome == AckOutcome.Acked;

    /// <summary>One line for each type that was refused; its last good set is served again.</summary>
    public IReadOnlyList<string> Refusals
    {
        get
        {
            var lines = new List<string>();
            foreach (var (type, result) in ByType)
            {
                if (result.Outcome == AckOutcome.Nacked)
                {
                    lines.Add($"{type}: refused by the proxy, what was in force stays: {result.Detail}");
                }
            }
            return lines;
        }
    }
}
