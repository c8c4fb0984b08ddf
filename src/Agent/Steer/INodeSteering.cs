using System.Collections.Generic;
using Postern.Tproxy;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Steer;

/// <summary>The node's steering rules. Calls block while the kernel is told, and come from one task.</summary>
public interface INodeSteering : ISteeringInsight
{
    /// <summary>Chooses the mode, once, and makes the steering ours without a change: rules of an agent that crashed go on stopping what nobody judges.</summary>
    /// <exception cref="TproxyException">No right to, the mode cannot be had, or another process steers here.</exception>
    void Claim();

    /// <summary>Puts these in the place of those in force, without a moment between.</summary>
    /// <exception cref="TproxyException">Those in force stay.</exception>
    void Replace(IReadOnlyList<SteeringRule> rules);

    /// <summary>Takes all away: traffic goes past the proxy.</summary>
    /// <exception cref="TproxyException">Something could not be removed.</exception>
    void Remove();
}
