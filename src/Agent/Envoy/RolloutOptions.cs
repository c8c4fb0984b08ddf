using System;

namespace Postern.Agent.Envoy;

/// <summary>How long a rollout waits.</summary>
public sealed record RolloutOptions
{
    /// <summary>For clusters before listeners go out, and for listeners; <c>envoy-config-timeout</c>.</summary>
    public TimeSpan ConfigTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>For policies, once there is a listener.</summary>
    public TimeSpan PolicyTimeout { get; init; } = TimeSpan.FromMinutes(2);
}
