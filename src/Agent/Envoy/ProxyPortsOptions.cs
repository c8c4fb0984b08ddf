using System;

namespace Postern.Agent.Envoy;

/// <summary>Where proxy ports come from.</summary>
public sealed record ProxyPortsOptions
{
    /// <summary>First port, <c>proxy-portrange-min</c>.</summary>
    public ushort First { get; init; } = 10000;

    /// <summary>Last port, <c>proxy-portrange-max</c>.</summary>
    public ushort Last { get; init; } = 20000;

    /// <summary>File that remembers names over a restart; null remembers nothing. Its folder exists.</summary>
    public string? StateFile { get; init; }

    /// <summary>Time before a released port is given out again: connections to it may still be under way.</summary>
    public TimeSpan ReuseDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Gets a line when the state file cannot be used.</summary>
    public Action<string> Log { get; init; } = static _ => { };

    /// <summary>Clock of <see cref="ReuseDelay"/>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
