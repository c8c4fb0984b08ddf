using System;
using System.Collections.Generic;
using Postern.Proxy.Listeners;
using Postern.Tproxy.Steering;

namespace Postern.Proxy.Lifecycle;

/// <summary>What <c>postern run</c> was told.</summary>
public sealed record RunOptions
{
    /// <summary>The bootstrap file.</summary>
    public required string ConfigPath { get; init; }

    /// <summary>Where JSON records go: a path, <c>-</c> for standard output, or null for nowhere.</summary>
    public string? RecordJson { get; init; }

    /// <summary>Rotate a records file beyond this size in MiB; 0 never.</summary>
    public int RecordJsonMaxSizeMb { get; init; } = 100;

    /// <summary>Rotated files kept.</summary>
    public int RecordJsonMaxBackups { get; init; } = 3;

    /// <summary>none, names or all.</summary>
    public string RecordHeaders { get; init; } = "all";

    /// <summary>Where <c>postern observe</c> connects; empty for nowhere; null for the usual place, if it can be had.</summary>
    public string? ObserveSocket { get; init; } = "";

    /// <summary>Steering rules to install; none leaves steering to the node agent.</summary>
    public IReadOnlyList<string> Steer { get; init; } = [];

    /// <summary>By what <see cref="Steer"/> steers.</summary>
    public SteeringMode Steering { get; init; } = SteeringMode.Auto;

    /// <summary>How it steers, and where leftovers of an earlier run are looked for.</summary>
    public SteeringOptions SteeringOptions { get; init; } = SteeringOptions.Default;

    /// <summary>Whether rules that an earlier run left behind are taken away at the start. Not where an agent steers: they are its own.</summary>
    public bool KeepSteering { get; init; }

    /// <summary>See <see cref="Filters.Listener.BpfMetadata.IsOnlyDatapath"/>.</summary>
    public bool OnlyDatapath { get; init; }

    /// <summary>Open connections that policy comes to forbid.</summary>
    internal DeniedConnections DeniedConnections { get; init; }

    /// <summary>Connections the process takes.</summary>
    public int MaxConnections { get; init; } = 50_000;

    /// <summary>Connections of one source address; 0 for no bound.</summary>
    public int MaxConnectionsPerSource { get; init; }

    /// <summary>Where the bootstrap asks for no overload action, shed new work as the control group's memory bound comes near.</summary>
    public bool ShedByDefault { get; init; } = true;

    /// <summary>How long connections may finish after their listener went or the process was asked to stop.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Where the last good state is kept when <see cref="StateDir"/> is null.</summary>
    public const string DefaultStateDir = "/var/lib/postern";

    /// <summary>Folder of the last good state; empty for none; null for the usual place, if it can be had.</summary>
    public string? StateDir { get; init; } = "";

    /// <summary>Older state is not used after a restart; zero keeps none.</summary>
    public TimeSpan StateMaxAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>An unknown field in a security message is a warning instead of a NACK.</summary>
    public bool WarnUnknownSecurityFields { get; init; }

    /// <summary>An unknown field in any dynamic resource is a NACK, as with Envoy's flag of that name.</summary>
    public bool RejectUnknownDynamicFields { get; init; }

    /// <summary>Microsoft.Extensions.Logging level name.</summary>
    public string LogLevel { get; init; } = "information";
}
