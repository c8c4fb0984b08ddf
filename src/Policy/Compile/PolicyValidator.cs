using System;
using System.Collections.Generic;
using System.Linq;
using Postern.Policy.Config;

namespace Postern.Policy.Compile;

/// <summary>Checks of whole resources and the constraints that the wire messages carry (cilium's npds.proto validation rules).</summary>
internal static class PolicyValidator
{
    public const int MaxEntries = 65_536;
    private const int MaxKafkaTopic = 255;

    /// <summary>Resource level: name, id, addresses.</summary>
    public static void CheckResource(NetworkPolicyConfig config)
    {
        if (config.Name.Length == 0)
        {
            throw new PolicyConfigException("NetworkPolicy resource name must not be empty");
        }
        if (config.Name.Any(char.IsWhiteSpace))
        {
            throw new PolicyConfigException($"NetworkPolicy resource name '{config.Name}' must not contain whitespace");
        }
        if (config.EndpointIps.Count == 0)
        {
            throw new PolicyConfigException("NetworkPolicyResource has no endpoint ips");
        }
        if (config.EndpointId == 0)
        {
            throw new PolicyConfigException("NetworkPolicyResource endpoint_id must be non-zero");
        }
        if (config.EndpointIps.Count > 2)
        {
            throw Constraint(config.Name, "endpoint_ips", $"has {config.EndpointIps.Count} items, 1 or 2 are allowed");
        }
        for (var i = 0; i < config.EndpointIps.Count; i++)
        {
            if (config.EndpointIps[i].Length == 0)
            {
                throw Constraint(config.Name, $"endpoint_ips[{i}]", "must have at least one character");
            }
        }
    }

    /// <summary>Resource names and addresses share one namespace: each key stands once in the update.</summary>
    public static void CheckKeys(IReadOnlyList<NetworkPolicyConfig> resources, UpdateOrigin origin)
    {
        var owners = new Dictionary<string, NetworkPolicyConfig>(resources.Count * 2, StringComparer.Ordinal);
        foreach (var resource in resources)
        {
            CheckKey(owners, resource.Name, resource, origin);
            foreach (var address in resource.EndpointIps)
            {
                CheckKey(owners, address, resource, origin);
            }
        }
    }

    /// <summary>Port entry level.</summary>
    public static void CheckEntry(PortNetworkPolicyConfig entry)
    {
        if (entry.Port > ushort.MaxValue)
        {
            throw new FieldException($"{entry.Port} is greater than 65535") { Path = "port" };
        }
        if (entry.EndPort > ushort.MaxValue)
        {
            throw new FieldException($"{entry.EndPort} is greater than 65535") { Path = "end_port" };
        }
    }

    /// <summary>Rule level.</summary>
    public static void CheckRule(PortRuleConfig rule)
    {
        if (rule.ProxyId > ushort.MaxValue)
        {
            throw new FieldException($"{rule.ProxyId} is greater than 65535") { Path = "proxy_id" };
        }
        for (var i = 0; i < rule.ServerNames.Count; i++)
        {
            if (rule.ServerNames[i].Length == 0 || !SniPattern.TryParse(rule.ServerNames[i], out _))
            {
                throw new FieldException($"SniPattern: Unsupported match pattern {rule.ServerNames[i]}; labels are '*', '**', or letters, digits, '-', '_' with single '*' between")
                {
                    Path = $"server_names[{i}]",
                };
            }
        }
        if (rule.HttpRules is { Count: 0 })
        {
            throw new FieldException("must contain at least 1 item; leave http_rules out to allow every request") { Path = "http_rules.http_rules" };
        }
        if (rule.KafkaRules is { Count: 0 })
        {
            throw new FieldException("must contain at least 1 item; leave kafka_rules out to allow every request") { Path = "kafka_rules.kafka_rules" };
        }
        for (var i = 0; i < (rule.KafkaRules?.Count ?? 0); i++)
        {
            CheckKafka(rule.KafkaRules![i], $"kafka_rules.kafka_rules[{i}]");
        }
        if (rule.PassPrecedence > rule.Precedence)
        {
            throw new PolicyConfigException($"PortNetworkPolicyRule: pass_precedence {rule.PassPrecedence} must be lower than precedence {rule.Precedence}");
        }
        CheckTls(rule.DownstreamTlsContext, TlsSide.Downstream);
        CheckTls(rule.UpstreamTlsContext, TlsSide.Upstream);
    }

    /// <summary>The text of a constraint violation, with resource and field.</summary>
    public static PolicyConfigException Constraint(string resource, string path, string message) =>
        new($"Proto constraint validation failed (NetworkPolicy '{resource}': {path}: {message})") { Resource = resource, Path = path };

    private static void CheckKey(Dictionary<string, NetworkPolicyConfig> owners, string key, NetworkPolicyConfig resource, UpdateOrigin origin)
    {
        if (owners.TryAdd(key, resource))
        {
            return;
        }
        var stream = origin.Stream == UpdateStream.New ? "a new" : "an old";
        throw new PolicyConfigException(
            $"NetworkPolicyResource update for version {origin.Version} has duplicate resource key '{key}' on {stream} stream: "
            + $"incoming policy resource {Describe(resource)} collides with existing policy resource {Describe(owners[key])}");
    }

    private static string Describe(NetworkPolicyConfig resource) =>
        $"'{resource.Name}' (endpoint_id {resource.EndpointId}, endpoint_ips [{string.Join(", ", resource.EndpointIps)}])";

    private static void CheckKafka(KafkaRuleConfig rule, string path)
    {
        if (!IsKafkaName(rule.ClientId))
        {
            throw new FieldException($"'{rule.ClientId}' has characters other than letters, digits, '.', '_', '-'") { Path = path + ".client_id" };
        }
        if (!IsKafkaName(rule.Topic) || rule.Topic.Length > MaxKafkaTopic)
        {
            throw new FieldException($"'{rule.Topic}' is longer than {MaxKafkaTopic} or has characters other than letters, digits, '.', '_', '-'") { Path = path + ".topic" };
        }
    }

    private static bool IsKafkaName(string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'))
            {
                return false;
            }
        }
        return true;
    }

    private static void CheckTls(TlsContextConfig? context, TlsSide side)
    {
        if (context is null)
        {
            return;
        }
        if (side == TlsSide.Downstream && context.TlsSdsSecret.Length == 0 && context.CertificateChain.Length == 0)
        {
            throw new PolicyConfigException("Downstream TLS Context: missing certificate chain");
        }
        if (context.TlsSdsSecret.Length == 0 && context.CertificateChain.Length > 0 && context.PrivateKey.Length == 0)
        {
            throw new PolicyConfigException("TLS Context: missing private key");
        }
        if (side == TlsSide.Upstream && context.ValidationContextSdsSecret.Length == 0 && context.TrustedCa.Length == 0)
        {
            throw new PolicyConfigException("Upstream TLS Context: missing trusted CA");
        }
        if (side == TlsSide.Upstream && context.ServerNames.Count > 1)
        {
            throw new PolicyConfigException("Upstream TLS Context: more than one server name");
        }
    }
}
