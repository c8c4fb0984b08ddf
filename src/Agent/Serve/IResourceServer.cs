using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds.Discovery;

namespace Postern.Agent.Serve;

/// <summary>The xDS server of a node: one state of the world per type, served to the proxies of the node. Thread-safe.</summary>
public interface IResourceServer : IAsyncDisposable
{
    /// <summary>
    /// Replaces the resources of a type. Equal content changes nothing. Returns the version that a proxy has to ACK for it to be in force.
    /// </summary>
    /// <param name="type">Kind.</param>
    /// <param name="resources">By name.</param>
    ulong Publish(ResourceType type, IReadOnlyDictionary<string, Any> resources);

    /// <summary>Waits until the node has ACKed that version or a later one.</summary>
    /// <returns>ACK; or the NACK's text; or a timeout.</returns>
    Task<AckResult> WaitForAckAsync(ResourceType type, ulong version, TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>Streams and what they said last.</summary>
    IReadOnlyList<StreamStatus> ReadStatus();
}

/// <summary>What came of a version.</summary>
/// <param name="Outcome">ACK, NACK or neither in time.</param>
/// <param name="Detail">The NACK's text, else empty.</param>
public sealed record AckResult(AckOutcome Outcome, string Detail);

/// <summary>Outcomes.</summary>
public enum AckOutcome
{
    /// <summary>In force.</summary>
    Acked,

    /// <summary>Refused; the proxy keeps what it had.</summary>
    Nacked,

    /// <summary>No word: no proxy is connected, or it is busy.</summary>
    TimedOut,
}

/// <summary>One stream of a proxy.</summary>
/// <param name="Type">Kind.</param>
/// <param name="Node"><c>node.id</c>.</param>
/// <param name="Names">Asked for; empty is all.</param>
/// <param name="Sent">Last version sent.</param>
/// <param name="Acked">Last version ACKed; 0 before the first.</param>
/// <param name="LastNack">Text of the last NACK, or empty.</param>
/// <param name="LastNackAt">When, or null.</param>
/// <param name="Connected">Since when.</param>
public sealed record StreamStatus(
    ResourceType Type,
    string Node,
    IReadOnlyList<string> Names,
    ulong Sent,
    ulong Acked,
    string LastNack,
    DateTimeOffset? LastNackAt,
    DateTimeOffset Connected);
