using System;
using System.Collections.Generic;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>A response of either form of the protocol, unwrapped but not yet decoded.</summary>
/// <param name="Version">Of the response.</param>
/// <param name="IsFullSet">See <see cref="ResourceUpdate"/>.</param>
/// <param name="Resources">In order; names may repeat.</param>
/// <param name="Removed">Names.</param>
internal sealed record ReceivedResponse(string Version, bool IsFullSet, IReadOnlyList<ReceivedResource> Resources, IReadOnlyList<string> Removed)
{
    /// <summary>What is wrong with the response as a whole, or null.</summary>
    public ResourceProblem? Problem { get; init; }

    /// <summary>Errors that the control plane itself reports, by name.</summary>
    public IReadOnlyList<(string Name, string Text)> Errors { get; init; } = [];
}

/// <summary>One of its resources.</summary>
/// <param name="Name">Of the wrapper, or empty.</param>
/// <param name="Version">Of the wrapper, else of the response.</param>
/// <param name="Body">Null in a heartbeat or for an alias that leads nowhere.</param>
/// <param name="Ttl">Null: for ever.</param>
internal readonly record struct ReceivedResource(string Name, string Version, Any? Body, TimeSpan? Ttl)
{
    /// <summary>The version is the resource's own, not that of the response.</summary>
    public bool HasOwnVersion { get; init; }

    /// <summary>SotW: the response has the version in force, as a heartbeat needs.</summary>
    public bool IsOfHeldVersion { get; init; }

    /// <summary>Why the wrapper cannot be read, or null.</summary>
    public string? Problem { get; init; }
}
