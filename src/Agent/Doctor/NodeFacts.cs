using System.Collections.Generic;
using System.Net;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Doctor;

/// <summary>All that the doctor has looked at, as it was at one moment. Immutable, so that checks are pure.</summary>
public sealed record NodeFacts
{
    /// <summary>Kernel, commands, capabilities.</summary>
    public KernelFacts Kernel { get; init; } = new();

    /// <summary>Devices, routes, rules, sysctls.</summary>
    public NetworkFacts Network { get; init; } = new();

    /// <summary>Programs, maps, counters.</summary>
    public BpfFacts Bpf { get; init; } = new();

    /// <summary>Sockets that wait for somebody.</summary>
    public IReadOnlyList<ListenerSocket> Listeners { get; init; } = [];

    /// <summary>What the agent says, or that there is none.</summary>
    public AgentFacts Agent { get; init; } = new();

    /// <summary>Where the kernel sends packets to the endpoints, by address.</summary>
    public IReadOnlyDictionary<IPAddress, RouteAnswer> EndpointRoutes { get; init; } = new Dictionary<IPAddress, RouteAnswer>();

    /// <summary>Numbers that steering uses.</summary>
    public SteeringOptions Options { get; init; } = SteeringOptions.Default;

    /// <summary>What else could not be looked at, and why; one line each.</summary>
    public IReadOnlyList<string> Blind { get; init; } = [];

    /// <summary>Whether TPROXY rules of ours stand.</summary>
    public bool HasIptables => (Network.V4.Mangle is { } v4 && IptablesRules.HasChain(v4)) || (Network.V6.Mangle is { } v6 && IptablesRules.HasChain(v6));

    /// <summary>Whether maps of ours are pinned.</summary>
    public bool HasEbpf => Bpf.Maps.Count > 0;

    /// <summary>Who tells <see cref="Rules"/>.</summary>
    public RulesSource RulesSource => Agent.Rules.Count > 0 || Agent.Status is not null ? RulesSource.Agent
        : HasEbpf ? Network.Written is { Mode: SteeringMode.Ebpf } ? RulesSource.File : RulesSource.Nobody
        : Network.V4.Mangle is not null && (!Network.V6.IsEnabled || Network.V6.Mangle is not null) ? RulesSource.Listing
        : Network.Written is not null ? RulesSource.File
        : RulesSource.Nobody;

    /// <summary>
    /// The rules in force as far as they are known: the agent's; else those of the iptables listing, or, for eBPF maps are not read back, those that their owner
    /// wrote down.
    /// </summary>
    public IReadOnlyList<SteeringRule> Rules => RulesSource switch
    {
        RulesSource.Agent => Agent.Rules,
        RulesSource.File => Network.Written!.InForce,
        _ => Listed(),
    };

    private List<SteeringRule> Listed()
    {
        var rules = new List<SteeringRule>();
        foreach (var listing in new[] { Network.V4.Mangle, Network.V6.Mangle })
        {
            foreach (var rule in listing is null ? [] : IptablesRules.Steering(listing))
            {
                if (!rules.Contains(rule))
                {
                    rules.Add(rule);
                }
            }
        }
        return rules;
    }
}
