using System;
using System.Collections.Generic;

namespace Postern.Agent.Api;

/// <summary>The steering.</summary>
public sealed record SteeringView
{
    /// <summary>iptables or none.</summary>
    public string Mode { get; init; } = string.Empty;

    /// <summary>deny or allow.</summary>
    public string WhileProxyDown { get; init; } = string.Empty;

    /// <summary>Whether the agent's rules stand.</summary>
    public bool Installed { get; init; }

    /// <summary>In order, as <c>postern run --steer</c> takes them.</summary>
    public IReadOnlyList<string> Rules { get; init; } = [];

    /// <summary>Why the last change failed, or empty.</summary>
    public string Error { get; init; } = string.Empty;

    /// <summary>When it changed last.</summary>
    public DateTimeOffset? ChangedAt { get; init; }
}
