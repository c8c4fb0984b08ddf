using System.Collections.Generic;
using System.Net;
using Cilium;

namespace Postern.Agent.Compile;

/// <summary>One endpoint with its policy.</summary>
public sealed record CompiledEndpoint
{
    /// <summary>1–65535, stable across restarts.</summary>
    public required ushort Id { get; init; }

    /// <summary>Namespace/name.</summary>
    public required string Name { get; init; }

    /// <summary>Its security identity.</summary>
    public required uint Identity { get; init; }

    /// <summary>Security labels, <c>source:key=value</c>, sorted.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>v4 then v6.</summary>
    public required IReadOnlyList<IPAddress> Addresses { get; init; }

    /// <summary>Host-side interface, or null.</summary>
    public string? Interface { get; init; }

    /// <summary>Name of its network namespace, or null; for people.</summary>
    public string? Netns { get; init; }

    /// <summary>As served by NPDS.</summary>
    public required NetworkPolicy Policy { get; init; }

    /// <summary>Whether some policy selects it for ingress.</summary>
    public required bool IngressEnforced { get; init; }

    /// <summary>Whether some policy selects it for egress.</summary>
    public required bool EgressEnforced { get; init; }

    /// <summary>Which of its TCP traffic goes to which kind of listener; most specific first.</summary>
    public required IReadOnlyList<Redirect> Redirects { get; init; }

    /// <summary>Names (<c>namespace/name</c>) of the policies that select it.</summary>
    public IReadOnlyList<string> Policies { get; init; } = [];

    /// <summary>The rules that <see cref="Policy"/> was merged from, for explanations.</summary>
    public IReadOnlyList<RuleOrigin> Origins { get; init; } = [];
}
