using System;
using System.Collections.Generic;
using Postern.Agent.Compile;
using Postern.Agent.Serve;
using Postern.Agent.Steer;
using Postern.Agent.Supervise;

namespace Postern.Agent.Runtime;

/// <summary>All that the main loop knows, as it was at one moment. Immutable.</summary>
public sealed record AgentSnapshot
{
    /// <summary>The node that was read last without losing what is in force.</summary>
    public CompiledNode Node { get; init; } = CompiledNode.Empty;

    /// <summary>Of the folder; one line each.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>False until a folder was good for the first time; nothing is changed before.</summary>
    public bool HasNode { get; init; }

    /// <summary>Counts changes of the node; 0 before the first.</summary>
    public long Revision { get; init; }

    /// <summary>The last one that the proxy ACKed and that is steered.</summary>
    public long EnforcedRevision { get; init; }

    /// <summary>What the proxy said to the last one, or null while it is asked.</summary>
    public AckOutcome? Outcome { get; init; }

    /// <summary>Text of a NACK, or what is waited for.</summary>
    public string OutcomeDetail { get; init; } = string.Empty;

    /// <summary>The proxy.</summary>
    public ProxyStatus Proxy { get; init; } = new();

    /// <summary>The rules.</summary>
    public SteeringStatus Steering { get; init; } = new();

    /// <summary>Policies as written, by name.</summary>
    public IReadOnlyList<PolicyText> Policies { get; init; } = [];

    /// <summary>The port of a redirect's listener as far as the proxy was told, or null.</summary>
    public Func<Redirect, ushort?> PortOf { get; init; } = static _ => null;

    /// <summary>When the agent began.</summary>
    public DateTimeOffset Started { get; init; }
}
