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
    /// <summary>Cheap: it is asked for each connection, and a trust store is long. Two that differ in content alone are few.</summary>
    public override int GetHashCode() => System.HashCode.Combine(
        TrustedCa.Length, CertificateChain.Length, PrivateKey.Length, TlsSdsSecret, ValidationContextSdsSecret, ServerNames.Count);

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
