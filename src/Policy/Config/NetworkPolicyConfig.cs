using System.Collections.Generic;

namespace Postern.Policy.Config;

/// <summary>One <c>cilium.NetworkPolicy</c> resource as received, before it is compiled. Source: npds.proto.</summary>
/// <param name="Name">Resource name: decimal endpoint id, or the name of the <c>Resource</c> wrapper.</param>
/// <param name="EndpointId">Non-zero; the low 32 bits go into marks.</param>
/// <param name="EndpointIps">1–2 address texts; used as exact keys, never parsed or normalised.</param>
/// <param name="Ingress">Empty denies all ingress.</param>
/// <param name="Egress">Empty denies all egress.</param>
public sealed record NetworkPolicyConfig(
    string Name,
    ulong EndpointId,
    EquatableList<string> EndpointIps,
    EquatableList<PortNetworkPolicyConfig> Ingress,
    EquatableList<PortNetworkPolicyConfig> Egress);

/// <summary><c>cilium.PortNetworkPolicy</c>.</summary>
/// <param name="Port">0–65535; 0 is any port.</param>
/// <param name="EndPort">Inclusive end of a range, 0 for none.</param>
/// <param name="Protocol">Only TCP entries are installed.</param>
/// <param name="Rules">Empty allows everything on the port.</param>
public sealed record PortNetworkPolicyConfig(uint Port, uint EndPort, PolicyProtocol Protocol, EquatableList<PortRuleConfig> Rules);

/// <summary><c>envoy.config.core.v3.SocketAddress.Protocol</c>.</summary>
public enum PolicyProtocol
{
    /// <summary>TCP.</summary>
    Tcp = 0,

    /// <summary>UDP.</summary>
    Udp = 1,
}

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

/// <summary><c>cilium.TLSContext</c>. SDS names win over inline values.</summary>
public sealed record TlsContextConfig(
    string TrustedCa,
    string CertificateChain,
    string PrivateKey,
    EquatableList<string> ServerNames,
    string ValidationContextSdsSecret,
    string TlsSdsSecret,
    EquatableList<string> AlpnProtocols)
{
    /// <summary>Prints names only: the key must never reach a log.</summary>
    public override string ToString() => $"TlsContext(tls_sds_secret={TlsSdsSecret}, validation_context_sds_secret={ValidationContextSdsSecret})";
}

/// <summary><c>cilium.HttpNetworkPolicyRule</c>: all headers must match; header matches may change the request.</summary>
public sealed record HttpRuleConfig(EquatableList<HeaderMatcherConfig> Headers, EquatableList<HeaderMatchConfig> HeaderMatches);

/// <summary><c>cilium.KafkaNetworkPolicyRule</c>.</summary>
public sealed record KafkaRuleConfig(int ApiVersion, EquatableList<int> ApiKeys, string ClientId, string Topic);

/// <summary><c>cilium.L7NetworkPolicyRules</c>; metadata matching is carried but judged by the engine that has the metadata.</summary>
public sealed record L7RulesConfig(EquatableList<L7RuleConfig> AllowRules, EquatableList<L7RuleConfig> DenyRules);

/// <summary><c>cilium.L7NetworkPolicyRule</c>.</summary>
/// <param name="Name">Free text.</param>
/// <param name="Rule">Key/value pairs for a parser, sorted by key.</param>
/// <param name="HasMetadataRules">True when metadata matchers were present.</param>
public sealed record L7RuleConfig(string Name, EquatableList<KeyValuePair<string, string>> Rule, bool HasMetadataRules);
