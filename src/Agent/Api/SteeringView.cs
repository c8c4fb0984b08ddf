using System;
using System.Collections.Generic;
using Postern.Agent.Runtime;
using Postern.Agent.Steer;

namespace Postern.Agent.Api;

/// <summary>The steering; also <c>GET /v1/steering</c>.</summary>
public sealed record SteeringView
{
    /// <summary>ebpf, iptables or none; empty until the agent has chosen.</summary>
    public string Mode { get; init; } = string.Empty;

    /// <summary>Why this mode; one line.</summary>
    public string Reason { get; init; } = string.Empty;

    /// <summary>deny or allow.</summary>
    public string WhileProxyDown { get; init; } = string.Empty;

    /// <summary>cut or keep.</summary>
    public string OlderConnections { get; init; } = string.Empty;

    /// <summary>The BPF file system in which eBPF steering pins what outlives the agent.</summary>
    public string BpfRoot { get; init; } = string.Empty;

    /// <summary>Where eBPF programs run; empty in other modes.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>Whether the agent's rules stand.</summary>
    public bool Installed { get; init; }

    /// <summary>In order, as <c>postern run --steer</c> takes them.</summary>
    public IReadOnlyList<string> Rules { get; init; } = [];

    /// <summary>Why the last change failed, or empty.</summary>
    public string Error { get; init; } = string.Empty;

    /// <summary>When it changed last.</summary>
    public DateTimeOffset? ChangedAt { get; init; }

    /// <summary>As it is now.</summary>
    public static SteeringView Of(SteeringStatus status, ISteeringInsight steering, AgentOptions options)
    {
        ArgumentNullException.ThrowIfNull(status);
        ArgumentNullException.ThrowIfNull(steering);
        ArgumentNullException.ThrowIfNull(options);
        var rules = new List<string>();
        foreach (var rule in status.Rules)
        {
            rules.Add(rule.ToString());
        }
        return new SteeringView
        {
            Mode = steering.Mode,
            Reason = steering.Reason,
            WhileProxyDown = options.WhileProxyDown.ToString().ToLowerInvariant(),
            OlderConnections = options.SteeringOptions.OlderConnections.ToString().ToLowerInvariant(),
            BpfRoot = options.SteeringOptions.BpfRoot,
            Devices = steering.ReadDevices(),
            Installed = status.Installed,
            Rules = rules,
            Error = status.Error,
            ChangedAt = status.ChangedAt,
        };
    }
}
