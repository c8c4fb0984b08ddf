using System.Collections.Generic;
using Postern.Agent.Api;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Doctor;

/// <summary>What the running agent says of itself.</summary>
public sealed record AgentFacts
{
    /// <summary>Its API socket.</summary>
    public string Socket { get; init; } = string.Empty;

    /// <summary>Null when none answers.</summary>
    public StatusView? Status { get; init; }

    /// <summary>Why none answers, or empty.</summary>
    public string Fault { get; init; } = string.Empty;

    /// <summary>The rules of <see cref="Status"/>, in order.</summary>
    public IReadOnlyList<SteeringRule> Rules { get; init; } = [];

    /// <summary>Endpoints of the node.</summary>
    public IReadOnlyList<EndpointView> Endpoints { get; init; } = [];
}
