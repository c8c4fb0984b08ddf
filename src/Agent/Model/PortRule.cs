using System.Collections.Generic;

namespace Postern.Agent.Model;

/// <summary>One item of toPorts.</summary>
public sealed record PortRule
{
    /// <summary>Its place below the rule: <c>toPorts[0]</c>.</summary>
    public required string Place { get; init; }

    /// <summary>TCP and ANY ports; other protocols are not the proxy's.</summary>
    public required IReadOnlyList<PortRange> Ports { get; init; }

    /// <summary>serverNames.</summary>
    public IReadOnlyList<string> ServerNames { get; init; } = [];

    /// <summary>rules.http; empty is none at all, one empty rule allows all of HTTP.</summary>
    public IReadOnlyList<HttpRule> Http { get; init; } = [];

    /// <summary>rules.kafka.</summary>
    public IReadOnlyList<KafkaRule> Kafka { get; init; } = [];

    /// <summary>rules.dns.</summary>
    public IReadOnlyList<DnsRule> Dns { get; init; } = [];

    /// <summary>rules.l7proto, or empty.</summary>
    public string L7Proto { get; init; } = "";

    /// <summary>rules.l7.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, string>> L7 { get; init; } = [];

    /// <summary>terminatingTLS.secret.</summary>
    public SecretReference? TerminatingTls { get; init; }

    /// <summary>originatingTLS.secret.</summary>
    public SecretReference? OriginatingTls { get; init; }

    /// <summary>listener, or null.</summary>
    public ListenerReference? Listener { get; init; }
}

/// <summary>TCP ports.</summary>
/// <param name="Port">0 is all of them.</param>
/// <param name="EndPort">Last, inclusive; 0 for a single port.</param>
public readonly record struct PortRange(ushort Port, ushort EndPort);

/// <summary>One item of rules.dns: a name or a pattern.</summary>
public sealed record DnsRule(string MatchName, string MatchPattern);

/// <summary>A Kubernetes secret.</summary>
public sealed record SecretReference(string Namespace, string Name);

/// <summary>A listener of a CiliumEnvoyConfig.</summary>
/// <param name="EnvoyConfig">The object.</param>
/// <param name="Listener">Its listener, unqualified.</param>
public sealed record ListenerReference(ObjectKey EnvoyConfig, string Listener)
{
    /// <summary>As it is served.</summary>
    public string QualifiedName => EnvoyConfig.QualifiedName + "/" + Listener;
}
