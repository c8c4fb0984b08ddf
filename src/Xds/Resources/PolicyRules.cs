using System;
using System.Collections.Generic;
using Cilium;
using Google.Protobuf.Collections;
using Postern.Policy.Config;
using Postern.Xds.Text;

namespace Postern.Xds.Resources;

/// <summary>The port and rule messages below <c>cilium.NetworkPolicy</c>.</summary>
internal static class PolicyRules
{
    /// <summary>All ports of one direction.</summary>
    public static EquatableList<PortNetworkPolicyConfig> ToConfig(RepeatedField<PortNetworkPolicy> ports, ConfigPath path) =>
        ports.Map(path, static (port, at) => new PortNetworkPolicyConfig(
            port.Port,
            port.EndPort,
            Protocol(port.Protocol, at.Field("protocol")),
            port.Rules.Map(at.Field("rules"), Rule)));

    private static PortRuleConfig Rule(PortNetworkPolicyRule rule, ConfigPath path) => new()
    {
        Name = rule.Name,
        Precedence = rule.Precedence,
        PassPrecedence = rule.VerdictCase == PortNetworkPolicyRule.VerdictOneofCase.PassPrecedence ? rule.PassPrecedence : 0,
        Deny = rule.VerdictCase == PortNetworkPolicyRule.VerdictOneofCase.Deny && rule.Deny,
        ProxyId = rule.ProxyId,
        L7Proto = rule.L7Proto,
        RemotePolicies = rule.RemotePolicies.ToEquatableList(),
        ServerNames = rule.ServerNames.ToEquatableList(),
        DownstreamTlsContext = Tls(rule.DownstreamTlsContext),
        UpstreamTlsContext = Tls(rule.UpstreamTlsContext),
        // Set but empty stays an empty list: the compiler refuses it, while null means that the rule has no such rules.
        HttpRules = rule.HttpRules is { } http ? http.HttpRules.Map(path.Field("http_rules").Field("http_rules"), HttpRule) : null,
        KafkaRules = rule.KafkaRules is { } kafka ? kafka.KafkaRules.Map(path.Field("kafka_rules").Field("kafka_rules"), KafkaRule) : null,
        L7Rules = rule.L7Rules is { } l7
            ? new L7RulesConfig(
                l7.L7AllowRules.Map(path.Field("l7_rules").Field("l7_allow_rules"), L7Rule),
                l7.L7DenyRules.Map(path.Field("l7_rules").Field("l7_deny_rules"), L7Rule))
            : null,
    };

    private static HttpRuleConfig HttpRule(HttpNetworkPolicyRule rule, ConfigPath path) => new(
        HeaderMatchers.ToConfig(rule.Headers, path.Field("headers")),
        rule.HeaderMatches.Map(path.Field("header_matches"), HeaderMatch));

    private static HeaderMatchConfig HeaderMatch(HeaderMatch match, ConfigPath path) => new(
        match.Name,
        match.Value,
        Defined((MatchAction)match.MatchAction, path.Field("match_action")),
        Defined((MismatchAction)match.MismatchAction, path.Field("mismatch_action")),
        match.ValueSdsSecret);

    private static KafkaRuleConfig KafkaRule(KafkaNetworkPolicyRule rule, ConfigPath path) =>
        new(rule.ApiVersion, rule.ApiKeys.ToEquatableList(), rule.ClientId, rule.Topic);

    private static L7RuleConfig L7Rule(L7NetworkPolicyRule rule, ConfigPath path)
    {
        var pairs = new List<KeyValuePair<string, string>>(rule.Rule);
        pairs.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        for (var i = 0; i < rule.MetadataRule.Count; i++)
        {
            MetadataMatchers.Check(rule.MetadataRule[i], path.Field("metadata_rule").Item(i));
        }
        return new L7RuleConfig(rule.Name, pairs.ToEquatableList(), rule.MetadataRule.Count > 0);
    }

    private static TlsContextConfig? Tls(TLSContext? context) => context is null
        ? null
        : new TlsContextConfig(
            context.TrustedCa,
            context.CertificateChain,
            context.PrivateKey,
            context.ServerNames.ToEquatableList(),
            context.ValidationContextSdsSecret,
            context.TlsSdsSecret,
            context.AlpnProtocols.ToEquatableList());

    private static PolicyProtocol Protocol(Envoy.Config.Core.V3.SocketAddress.Types.Protocol protocol, ConfigPath path) =>
        Defined((PolicyProtocol)protocol, path);

    // Enums are open on the wire: a number from a later version must not turn into some default.
    private static T Defined<T>(T value, ConfigPath path)
        where T : struct, Enum =>
        Enum.IsDefined(value) ? value : throw path.Error($"value {value:D} is not known");
}
