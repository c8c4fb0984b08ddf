using System;
using System.Collections.Generic;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Steer;

/// <summary>Steering by iptables TPROXY.</summary>
/// <param name="log">Gets one line per thing the operator should know.</param>
internal sealed class IptablesNodeSteering(Action<string> log) : INodeSteering
{
    // The lock stays in its usual folder whatever the runtime folder is: a proxy that is started by hand looks for it there.
    private readonly IptablesSteering steering = new([], SteeringOptions.Default, log);
    private bool removed;

    public string Mode => "iptables";

    public void Claim() => steering.Claim();

    public void Replace(IReadOnlyList<SteeringRule> rules)
    {
        removed = false;
        steering.Replace(rules);
    }

    public void Remove()
    {
        if (!removed)
        {
            steering.Remove();
            removed = true;
        }
    }

    // Rules that nobody removed are meant to stay: they stop traffic that nobody judges. The lock goes with the process.
    public void Dispose()
    {
    }
}
