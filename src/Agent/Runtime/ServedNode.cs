using System.Collections.Generic;
using Postern.Agent.Compile;
using Postern.Agent.Steer;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Runtime;

/// <summary>A node that was published, and what the proxy said.</summary>
/// <param name="Node">What.</param>
/// <param name="Revision">Which.</param>
/// <param name="Result">What came of it.</param>
internal sealed record ServedNode(CompiledNode Node, long Revision, ServingResult Result)
{
    /// <summary>Its rules.</summary>
    public IReadOnlyList<SteeringRule> Plan() => [.. SteeringPlan.Block(Node.Blocked), .. SteeringPlan.Of(Node.Endpoints, Result.PortOf)];
}
