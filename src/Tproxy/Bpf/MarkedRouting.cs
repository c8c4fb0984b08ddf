using System;
using System.Collections.Generic;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>The ip rules and routes that take what the program marks to its sockets, of both IP versions.</summary>
internal sealed class MarkedRouting(SteeringOptions options, Action<string> log)
{
    private bool toldOfIpv6;

    /// <summary>Of the families that rules concern; what is there stays.</summary>
    internal void Install(IReadOnlyList<SteeringRule> wanted)
    {
        var routing = new PolicyRouting(new CommandRunner(options.CommandTimeout), options, log);
        foreach (var family in (ReadOnlySpan<IpFamily>)[IpFamily.V4, IpFamily.V6])
        {
            if (family == IpFamily.V6 && !KernelSettings.HasIpv6())
            {
                if (!toldOfIpv6)
                {
                    log("steering: IPv6 is switched off in this network namespace; only IPv4 is steered");
                    toldOfIpv6 = true;
                }
            }
            else if (Concern(wanted, family))
            {
                routing.Install(family);
            }
        }
    }

    internal void Remove()
    {
        var routing = new PolicyRouting(new CommandRunner(options.CommandTimeout), options, log);
        routing.Remove(IpFamily.V4);
        if (KernelSettings.HasIpv6Stack())
        {
            routing.Remove(IpFamily.V6);
        }
    }

    private static bool Concern(IReadOnlyList<SteeringRule> rules, IpFamily family)
    {
        foreach (var rule in rules)
        {
            if (rule.Concerns(family))
            {
                return true;
            }
        }

        return false;
    }
}
