using System;
using System.Collections.Generic;
using Postern.Agent.Compile;
using Postern.Agent.Runtime;
using Postern.Agent.Serve;
using Postern.Agent.Steer;
using Postern.Agent.Supervise;

namespace Postern.Agent.Api;

/// <summary><c>GET /v1/status</c>.</summary>
public sealed record StatusView
{
    /// <summary>The folder that is followed.</summary>
    public string Folder { get; init; } = string.Empty;

    /// <summary>When the agent began.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>Whether the folder's state is what the proxy enforces.</summary>
    public RevisionView Policy { get; init; } = new(0, 0, string.Empty, string.Empty);

    /// <summary>The proxy.</summary>
    public ProxyStatus Proxy { get; init; } = new();

    /// <summary>Where its outputs go.</summary>
    public string ProxyLog { get; init; } = string.Empty;

    /// <summary>Its streams.</summary>
    public IReadOnlyList<StreamView> Streams { get; init; } = [];

    /// <summary>The rules.</summary>
    public SteeringView Steering { get; init; } = new();

    /// <summary>How many there are.</summary>
    public CountsView Counts { get; init; } = new(0, 0, 0, 0, 0);

    /// <summary>Of the folder.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>Of its meaning.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Made from what the main loop knows.</summary>
    public static StatusView Of(AgentSnapshot snapshot, IReadOnlyList<StreamStatus> streams, ISteeringInsight steering, AgentOptions options)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(streams);
        ArgumentNullException.ThrowIfNull(options);
        var views = new List<StreamView>();
        foreach (var stream in streams)
        {
            views.Add(new StreamView(stream.Type.ShortName, stream.Node, stream.Names, stream.Sent, stream.Acked, stream.LastNack, stream.LastNackAt, stream.Connected));
        }
        return new StatusView
        {
            Folder = options.Folder,
            Started = snapshot.Started,
            Policy = new RevisionView(snapshot.Revision, snapshot.EnforcedRevision, StateOf(snapshot), snapshot.OutcomeDetail),
            Proxy = snapshot.Proxy,
            ProxyLog = options.ProxyLogFile,
            Streams = views,
            Steering = SteeringView.Of(snapshot.Steering, steering, options),
            Counts = Count(snapshot),
            Problems = snapshot.Problems,
            Warnings = snapshot.Node.Warnings,
        };
    }

    private static string StateOf(AgentSnapshot snapshot) => snapshot switch
    {
        { HasNode: false } => "no good folder yet: nothing is changed",
        { Problems.Count: > 0, Policies.Count: 0, Node: { Blocked.Count: > 0, Endpoints.Count: 0 } } => "no good folder yet: its endpoints are cut off",
        { Outcome: AckOutcome.Nacked } => "refused by the proxy",
        { Outcome: AckOutcome.TimedOut } => "waiting for the proxy",
        { Steering.Error.Length: > 0 } => "steering failed",
        _ when snapshot.Revision == snapshot.EnforcedRevision => "enforced",
        _ => "being applied",
    };

    private static CountsView Count(AgentSnapshot snapshot)
    {
        int ingress = 0, egress = 0;
        foreach (CompiledEndpoint endpoint in snapshot.Node.Endpoints)
        {
            ingress += endpoint.IngressEnforced ? 1 : 0;
            egress += endpoint.EgressEnforced ? 1 : 0;
        }
        return new CountsView(snapshot.Node.Endpoints.Count, snapshot.Node.Identities.Count, snapshot.Policies.Count, ingress, egress);
    }
}

/// <summary>Revisions of the folder.</summary>
/// <param name="Revision">Read last.</param>
/// <param name="EnforcedRevision">ACKed and steered last.</param>
/// <param name="State">For people.</param>
/// <param name="Detail">The NACK's text, or what is waited for.</param>
public sealed record RevisionView(long Revision, long EnforcedRevision, string State, string Detail);

/// <summary>One xDS stream.</summary>
public sealed record StreamView(string Type, string Node, IReadOnlyList<string> Names, ulong Sent, ulong Acked, string LastNack, DateTimeOffset? LastNackAt, DateTimeOffset Connected);

/// <summary>How many there are.</summary>
public sealed record CountsView(int Endpoints, int Identities, int Policies, int IngressEnforced, int EgressEnforced);
