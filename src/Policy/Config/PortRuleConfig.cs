namespace Postern.Policy.Config;

/// <summary><c>cilium.PortNetworkPolicyRule</c>. All members have the proto's defaults.</summary>
public sealed record PortRuleConfig
{
    /// <summary>Free text (field 5); named in verdict reasons.</summary>
    public string Name { get; init; } = "";

    /// <summary>Field 10: higher wins, 0 is lowest.</summary>
    public uint Precedence { get; init; }

    /// <summary>Field 1: greater than 0 makes this a pass rule.</summary>
    public uint PassPrecedence { get; init; }

    /// <summary>Field 8.</summary>
    public bool Deny { get; init; }

    /// <summary>Field 9: non-zero binds the rule to the listener with that id.</summary>
    public uint ProxyId { get; init; }

    /// <summary>Field 2: parser or metadata name.</summary>
    public string L7Proto { get; init; } = "";

    /// <summary>Field 7: remote security identities; empty is any.</summary>
    public EquatableList<uint> RemotePolicies { get; init; } = EquatableList<uint>.Empty;

    /// <summary>Field 6: SNI patterns; empty is any, also no SNI.</summary>
    public EquatableList<string> ServerNames { get; init; } = EquatableList<string>.Empty;

    /// <summary>Field 3.</summary>
    public TlsContextConfig? DownstreamTlsContext { get; init; }

    /// <summary>Field 4.</summary>
    public TlsContextConfig? UpstreamTlsContext { get; init; }

    /// <summary>Field 100. Null when the rule has no HTTP rules; an empty list is a configuration error.</summary>
    public EquatableList<HttpRuleConfig>? HttpRules { get; init; }

    /// <summary>Field 101. Null when absent.</summary>
    public EquatableList<KafkaRuleConfig>? KafkaRules { get; init; }

    /// <summary>Field 102. Null when absent; used only when <see cref="L7Proto"/> is set.</summary>
    public L7RulesConfig? L7Rules { get; init; }
}
