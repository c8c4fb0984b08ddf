using System.Collections.Generic;
using System.Net;

namespace Postern.Agent.Model;

/// <summary>A workload of this node: <c>apiVersion: postern.io/v1</c>, <c>kind: Endpoint</c>.</summary>
public sealed record EndpointObject(ObjectKey Key, ObjectSource Source) : NodeObject(Key, Source)
{
    /// <summary>metadata.labels, without sources.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>Which of its traffic is shown at L7; from the annotation.</summary>
    public required VisibilityAnnotation Visibility { get; init; }

    /// <summary>One or two: v4 then v6.</summary>
    public required IReadOnlyList<IPAddress> Addresses { get; init; }

    /// <summary>Host-side interface, or null.</summary>
    public string? Interface { get; init; }

    /// <summary>Name of its network namespace, or null.</summary>
    public string? Netns { get; init; }

    /// <summary>What is read but not honoured.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Wanted endpoint id, or null.</summary>
    public ushort? Id { get; init; }
}

/// <summary>A namespace with labels, for selectors.</summary>
public sealed record NamespaceObject(ObjectKey Key, ObjectSource Source, IReadOnlyDictionary<string, string> Labels) : NodeObject(Key, Source);
