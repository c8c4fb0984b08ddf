using System.Collections.Generic;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>Rules that are not in force any more, newest first: connections that the proxy took by them go on.</summary>
internal static class DrainingRules
{
    internal const int Most = 16_384;

    /// <summary>The list after a change of rules. What comes back leaves it; the oldest go when it is full.</summary>
    internal static IReadOnlyList<SteeringRule> After(IReadOnlyList<SteeringRule> draining, IReadOnlyList<SteeringRule> before, IReadOnlyList<SteeringRule> now)
    {
        var seen = new HashSet<SteeringRule>(now);
        var next = new List<SteeringRule>();
        foreach (var list in (IReadOnlyList<SteeringRule>[])[before, draining])
        {
            foreach (var rule in list)
            {
                if (next.Count < Most && seen.Add(rule))
                {
                    next.Add(rule);
                }
            }
        }

        return next;
    }
}
