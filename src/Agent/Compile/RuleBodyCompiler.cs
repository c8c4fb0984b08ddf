using System;
using System.Linq;
using Cilium;
using Postern.Agent.Model;
using Postern.Policy;
using Postern.Xds;

namespace Postern.Agent.Compile;

/// <summary>One item of toPorts → the part of a <c>cilium.PortNetworkPolicyRule</c> that does not depend on who is meant.</summary>
internal static class RuleBodyCompiler
{
    private const string ProbeAddress = "192.0.2.1"; // TEST-NET-1, RFC 5737
    private static readonly HttpRule AllowAll = new("", "", "", [], []);

    /// <summary>Builds it.</summary>
    /// <param name="rule">What the policy says.</param>
    /// <param name="hasClientCertificate">Whether a secret holds a certificate to show to servers.</param>
    public static PortNetworkPolicyRule Build(PortRule rule, Func<SecretReference, bool> hasClientCertificate)
    {
        var built = new PortNetworkPolicyRule();
        built.ServerNames.AddRange(rule.ServerNames.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        if (rule.TerminatingTls is { } terminating)
        {
            built.DownstreamTlsContext = new TLSContext { TlsSdsSecret = SecretCompiler.NameOf(terminating) };
        }
        if (rule.OriginatingTls is { } originating)
        {
            built.UpstreamTlsContext = new TLSContext { ValidationContextSdsSecret = SecretCompiler.NameOf(originating) };
            if (hasClientCertificate(originating))
            {
                built.UpstreamTlsContext.TlsSdsSecret = SecretCompiler.NameOf(originating);
            }
        }
        if (rule.Http.Count > 0)
        {
            // One rule without conditions is all of HTTP.
            built.HttpRules = HttpRuleCompiler.Build(rule.Http.Any(IsUnconditional) && !rule.Http.Any(HasSideEffects) ? [AllowAll] : rule.Http);
        }
        else if (rule.Kafka.Count > 0)
        {
            built.L7Proto = "kafka";
            built.KafkaRules = new KafkaNetworkPolicyRules();
            built.KafkaRules.KafkaRules.AddRange(rule.Kafka.Select(Build).Distinct().OrderBy(one => one.ToString(), StringComparer.Ordinal));
        }
        else if (rule.Dns.Count > 0)
        {
            AddDns(built, rule);
        }
        else if (rule.L7Proto.Length > 0)
        {
            built.L7Proto = rule.L7Proto;
            AddL7(built, rule);
        }
        return built;
    }

    /// <summary>What the proxy would say against the rule, or null: a policy that it refuses must not get as far as there.</summary>
    public static string? FindProblem(PortRule rule)
    {
        var entry = new PortNetworkPolicy { Port = 1 };
        entry.Rules.Add(Build(rule, _ => false));
        var policy = new NetworkPolicy { EndpointId = 1 };
        policy.EndpointIps.Add(ProbeAddress);
        policy.EgressPerPortPolicies.Add(entry);
        try
        {
            PolicySnapshot.Compile([PolicyResources.FromProto(policy)]);
            return null;
        }
        catch (PolicyConfigException e)
        {
            return e.Message;
        }
        catch (XdsConfigException e)
        {
            return e.Message;
        }
    }

    /// <summary>Whether a DNS rule lets every name through.</summary>
    public static bool IsEveryName(DnsRule rule) => rule.MatchPattern is "*" or "**";

    private static bool IsUnconditional(HttpRule rule) =>
        rule is { Path: "", Method: "", Host: "", Headers.Count: 0, HeaderMatches.Count: 0 };

    private static bool HasSideEffects(HttpRule rule) => rule.HeaderMatches.Count > 0;

    private static KafkaNetworkPolicyRule Build(KafkaRule rule)
    {
        var built = new KafkaNetworkPolicyRule { ApiVersion = rule.ApiVersion, ClientId = rule.ClientId, Topic = rule.Topic };
        built.ApiKeys.AddRange(rule.ApiKeys);
        return built;
    }

    // Names cannot be judged yet: only a rule for all of them is the same as no look inside. The others are sent as rules of a parser
    // that the proxy does not have, so that it denies.
    private static void AddDns(PortNetworkPolicyRule built, PortRule rule)
    {
        if (rule.Dns.Any(IsEveryName))
        {
            return;
        }
        built.L7Proto = "dns";
        built.L7Rules = new L7NetworkPolicyRules();
        foreach (var one in rule.Dns.OrderBy(one => one.MatchName, StringComparer.Ordinal).ThenBy(one => one.MatchPattern, StringComparer.Ordinal))
        {
            var added = new L7NetworkPolicyRule();
            added.Rule.Add(one.MatchName.Length > 0 ? "matchName" : "matchPattern", one.MatchName.Length > 0 ? one.MatchName : one.MatchPattern);
            built.L7Rules.L7AllowRules.Add(added);
        }
    }

    private static void AddL7(PortNetworkPolicyRule built, PortRule rule)
    {
        if (rule.L7.Count == 0)
        {
            return;
        }
        built.L7Rules = new L7NetworkPolicyRules();
        foreach (var pairs in rule.L7.OrderBy(pairs => string.Join(";", pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal)), StringComparer.Ordinal))
        {
            var added = new L7NetworkPolicyRule();
            foreach (var (key, value) in pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                added.Rule.Add(key, value);
            }
            var denies = pairs.TryGetValue("action", out var action) && action == "deny";
            (denies ? built.L7Rules.L7DenyRules : built.L7Rules.L7AllowRules).Add(added);
        }
    }
}
