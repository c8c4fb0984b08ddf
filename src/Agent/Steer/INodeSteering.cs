using System;
using System.Collections.Generic;
using Postern.Tproxy;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Steer;

/// <summary>The node's steering rules. Calls block while commands run, and come from one task.</summary>
public interface INodeSteering : IDisposable
{
    /// <summary>For people: <c>iptables</c> or <c>none</c>.</summary>
    string Mode { get; }

    /// <summary>Makes it ours and changes nothing: rules of an agent that crashed go on stopping what nobody judges.</summary>
    /// <exception cref="TproxyException">No right to, or another process has it.</exception>
    void Claim();

    /// <summary>Puts these in the place of those in force, without a moment between.</summary>
    /// <exception cref="TproxyException">Those in force stay.</exception>
    void Replace(IReadOnlyList<SteeringRule> rules);

    /// <summary>Takes all away: traffic goes past the proxy.</summary>
    /// <exception cref="TproxyException">A command failed.</exception>
    void Remove();
}
