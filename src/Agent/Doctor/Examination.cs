using System;
using System.Collections.Generic;
using Postern.Agent.Doctor.Checks;

namespace Postern.Agent.Doctor;

/// <summary>All checks. Pure.</summary>
public static class Examination
{
    /// <summary>In the order of the table.</summary>
    public static IReadOnlyList<INodeCheck> Checks { get; } =
    [
        new KernelCheck(), new PrivilegeCheck(), new ToolCheck(), new SysctlCheck(), new RoutingCheck(), new SteeringCheck(),
        new ProgramCheck(), new CounterCheck(), new ListenerCheck(), new MtuCheck(), new ProxyCheck(), new BlindCheck(),
    ];

    /// <summary>All that can be found.</summary>
    public static IReadOnlyList<FindingKind> Kinds
    {
        get
        {
            var kinds = new List<FindingKind>();
            foreach (var check in Checks)
            {
                kinds.AddRange(check.Kinds);
            }
            return kinds;
        }
    }

    /// <summary>Findings, the worst first, else in the order of the checks.</summary>
    public static IReadOnlyList<Finding> Run(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var byLevel = new Dictionary<FindingLevel, List<Finding>>();
        foreach (var check in Checks)
        {
            foreach (var finding in check.Check(facts))
            {
                if (!byLevel.TryGetValue(finding.Level, out var list))
                {
                    byLevel[finding.Level] = list = [];
                }
                list.Add(finding);
            }
        }
        var all = new List<Finding>();
        foreach (var level in (FindingLevel[])[FindingLevel.Failure, FindingLevel.Warning, FindingLevel.Info, FindingLevel.Ok])
        {
            all.AddRange(byLevel.TryGetValue(level, out var list) ? list : []);
        }
        return all;
    }
}
