using System;
using System.Collections.Generic;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Steer;

/// <summary>The steering as the agent sees it. Immutable.</summary>
public sealed record SteeringStatus
{
    /// <summary>In force, in order.</summary>
    public IReadOnlyList<SteeringRule> Rules { get; init; } = [];

    /// <summary>Whether ours stand: false before the first installation and after removal.</summary>
    public bool Installed { get; init; }

    /// <summary>Why the last change failed, or empty.</summary>
    public string Error { get; init; } = string.Empty;

    /// <summary>Last change.</summary>
    public DateTimeOffset? ChangedAt { get; init; }
}
