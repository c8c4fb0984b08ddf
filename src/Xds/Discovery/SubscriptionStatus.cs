using System;
using System.Collections.Generic;

namespace Postern.Xds.Discovery;

/// <summary>Where a subscription stands; an immutable reading for <c>/xds</c> and metrics.</summary>
public sealed record SubscriptionStatus
{
    /// <summary>Kind of resource.</summary>
    public required ResourceType Type { get; init; }

    /// <summary>Like <c>grpc xds-grpc-cilium</c>, <c>ads (delta) NAME</c> or <c>file PATH</c>.</summary>
    public required string Source { get; init; }

    /// <summary>Empty for a wildcard subscription.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>connecting, connected (no answer yet), live, or backoff.</summary>
    public required string State { get; init; }

    /// <summary>Last accepted version; empty before the first.</summary>
    public string Version { get; init; } = "";

    /// <summary>Resources held.</summary>
    public int Resources { get; init; }

    /// <summary>Responses received since the start.</summary>
    public long Received { get; init; }

    /// <summary>Accepted responses.</summary>
    public long Accepted { get; init; }

    /// <summary>Rejected responses.</summary>
    public long Rejected { get; init; }

    /// <summary>Attempts to open a stream.</summary>
    public long Attempts { get; init; }

    /// <summary>Times the fetch timed out.</summary>
    public long FetchTimeouts { get; init; }

    /// <summary>Last ACK sent, or null.</summary>
    public DateTimeOffset? LastAck { get; init; }

    /// <summary>Last NACK sent, or null.</summary>
    public DateTimeOffset? LastNack { get; init; }

    /// <summary>Its error_detail message.</summary>
    public string LastNackText { get; init; } = "";

    /// <summary>Version that was refused.</summary>
    public string LastNackVersion { get; init; } = "";

    /// <summary>Why the last stream ended, or empty.</summary>
    public string LastStreamError { get; init; } = "";

    /// <summary>NACKs by resource name.</summary>
    public IReadOnlyDictionary<string, long> RejectedByResource { get; init; } = new Dictionary<string, long>();

    /// <summary>Errors the control plane reported of resources (<c>resource_errors</c>), by name; of the latest response that had any.</summary>
    public IReadOnlyDictionary<string, string> ResourceErrors { get; init; } = new Dictionary<string, string>();
}
