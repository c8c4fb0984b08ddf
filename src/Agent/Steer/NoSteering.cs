using System.Collections.Generic;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Steer;

/// <summary>Somebody else steers: eBPF, a CNI, or nobody at all.</summary>
internal sealed class NoSteering : INodeSteering
{
    public string Mode => "none";

    public void Claim()
    {
    }

    public void Replace(IReadOnlyList<SteeringRule> rules)
    {
    }

    public void Remove()
    {
    }

    public void Dispose()
    {
    }
}
