using System.Collections.Generic;

namespace Postern.Tproxy.Steering;

/// <summary>The rules of one network namespace as their owner wrote them down. Immutable.</summary>
/// <param name="Mode">By what they were steered, never <see cref="SteeringMode.Auto"/>.</param>
/// <param name="InForce">In order.</param>
/// <param name="Draining">Gone, newest first; connections that the proxy took by them go on.</param>
public sealed record KnownRules(SteeringMode Mode, IReadOnlyList<SteeringRule> InForce, IReadOnlyList<SteeringRule> Draining);
