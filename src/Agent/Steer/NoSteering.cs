using System.Collections.Generic;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Steer;

/// <summary>Somebody else steers: a CNI, or nobody at all.</summary>
internal sealed class NoSteering : INodeSteering
{
    public string Mode => "none";

    public string Reason => "--steering none: somebody else steers";

    public IReadOnlyList<string> ReadDevices() => [];

    public IReadOnlyDictionary<SteeringCounter, long>? ReadCounters() => null;

    public void Claim()
    {
    }

    public void Replace(IReadOnlyList<SteeringRule> rules)
    {
    }

    public void Remove()
    {
    }
}
