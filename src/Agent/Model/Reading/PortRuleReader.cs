using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Postern.Agent.Compile;
using Postern.Policy;

namespace Postern.Agent.Model.Reading;

/// <summary>One item of toPorts, with Cilium's rules of what goes together.</summary>
internal static class PortRuleReader
{
    private const int MaxPorts = 40;
    private const int MaxServerNames = 1_000;

    public static PortRule Read(FieldCursor item, string place, string where, TrafficDirection direction, RuleEffect effect, ObjectMetadata metadata, bool isOnNode)
    {
        var ports = ReadPorts(item, where, out var protocols);
        var rule = new PortRule { Place = place, Ports = ports };
        if (effect == RuleEffect.Allow)
        {
            var l7 = item.Field("rules");
            rule = rule with
            {
                ServerNames = ReadServerNames(item),
                TerminatingTls = ReadTls(item, "terminatingTLS"),
                OriginatingTls = ReadTls(item, "originatingTLS"),
                Listener = ReadListener(item, metadata),
                Http = [.. l7?.Field("http")?.Items().Select(one => L7RuleReader.ReadHttp(one, metadata)) ?? []],
                Kafka = [.. l7?.Field("kafka")?.Items().Select(L7RuleReader.ReadKafka) ?? []],
                Dns = [.. l7?.Field("dns")?.Items().Select(L7RuleReader.ReadDns) ?? []],
                L7Proto = l7?.Field("l7proto")?.Text() ?? "",
                L7 = [.. l7?.Field("l7")?.Items().Select(one => one.TextMap()) ?? []],
            };
            l7?.RefuseUnknown();
            Check(item, rule, protocols, direction, isOnNode);
            Warn(item, rule, where);
        }
        item.RefuseUnknown();
        if (item.Problems.Problems.Count == 0 && RuleBodyCompiler.FindProblem(rule) is { } problem)
        {
            item.Refuse(problem);
        }
        return rule;
    }

    private static void Check(FieldCursor item, PortRule rule, HashSet<string> protocols, TrafficDirection direction, bool isOnNode)
    {
        var kinds = (rule.Http.Count > 0 ? 1 : 0) + (rule.Kafka.Count > 0 ? 1 : 0) + (rule.Dns.Count > 0 ? 1 : 0) + (rule.L7Proto.Length > 0 ? 1 : 0);
        if (kinds > 1)
        {
            item.Refuse("multiple L7 protocol rule types specified in single rule; write one toPorts item for each");
        }
        if (rule.L7.Count > 0 && rule.L7Proto.Length == 0)
        {
            item.Refuse("has l7 rules without l7proto");
        }
        var stranger = protocols.FirstOrDefault(protocol => protocol != "TCP");
        if (kinds > 0 && rule.Dns.Count == 0 && stranger is not null)
        {
            item.Refuse($"L7 rules can only apply to TCP (not {stranger}) except for DNS rules; write protocol: TCP");
        }
        if (kinds > 0 && rule.Ports.Any(port => port.Port == 0))
        {
            item.Refuse("L7 rules need a port; port 0 has none");
        }
        if (rule.Dns.Count > 0 && direction == TrafficDirection.Ingress)
        {
            item.Refuse("DNS rules are not allowed on ingress");
        }
        if (rule.Dns.Count > 0 && rule.Ports.Any(port => port.EndPort != 0))
        {
            item.Refuse("DNS rules are not allowed with endPort");
        }
        if (rule.ServerNames.Count > 0 && kinds > 0 && rule.TerminatingTls is null)
        {
            item.Refuse("serverNames go with L7 rules only together with terminatingTLS");
        }
        if (rule.Listener is not null && direction == TrafficDirection.Ingress)
        {
            item.Refuse("listener is not allowed on ingress");
        }
        if (rule.Listener is not null && kinds > 0)
        {
            item.Refuse("listener is not allowed together with L7 rules");
        }
        if (rule.Listener is not null && rule.Ports.Any(port => port.Port == 0))
        {
            item.Refuse("listener needs a port; port 0 has none");
        }
        if (isOnNode && kinds > 0 && direction == TrafficDirection.Ingress)
        {
            item.Refuse("L7 rules are not allowed on ingress of a policy on nodes");
        }
    }

    private static void Warn(FieldCursor item, PortRule rule, string where)
    {
        if (rule.Kafka.Count > 0)
        {
            item.Problems.Warn($"{where}: rules.kafka are sent to the proxy, which denies Kafka until its filter is built in");
        }
        if (rule.L7Proto.Length > 0)
        {
            item.Problems.Warn($"{where}: rules.l7proto {rule.L7Proto} is sent to the proxy, which denies what it has no parser for");
        }
        if (rule.Dns.Count > 0)
        {
            item.Problems.Warn(rule.Dns.Any(RuleBodyCompiler.IsEveryName)
                ? $"{where}: rules.dns allow every name; DNS over TCP is allowed without a look inside"
                : $"{where}: rules.dns are not enforced yet, so DNS over TCP is denied by them; DNS over UDP does not come to the proxy");
        }
    }

    private static List<PortRange> ReadPorts(FieldCursor item, string where, out HashSet<string> protocols)
    {
        var ports = new List<PortRange>();
        protocols = new HashSet<string>(StringComparer.Ordinal);
        var others = new SortedSet<string>(StringComparer.Ordinal);
        var field = item.Required("ports");
        var items = field?.Items() ?? [];
        if (field is not null && items.Count is 0 or > MaxPorts)
        {
            field!.Refuse(items.Count == 0 ? "names no port; leave toPorts out to mean all of them" : $"has {items.Count} ports, the most are {MaxPorts}");
        }
        foreach (var one in items)
        {
            var protocol = one.Field("protocol")?.Choice("ANY", "TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "VRRP", "IGMP") ?? "ANY";
            var port = one.Required("port") is { } portField ? ReadPort(portField) : (ushort)0;
            var end = one.Field("endPort") is { } endField ? (ushort)endField.Integer(0, ushort.MaxValue) : (ushort)0;
            if (end != 0 && (port == 0 || end < port))
            {
                one.Refuse(port == 0 ? "endPort needs a port" : "endPort is lower than port");
            }
            one.RefuseUnknown();
            protocols.Add(protocol);
            if (protocol is "TCP" or "ANY")
            {
                ports.Add(new PortRange(port, end == port ? (ushort)0 : end));
            }
            else
            {
                others.Add(protocol);
            }
        }
        if (others.Count > 0)
        {
            item.Problems.Warn($"{where}: ports of {string.Join(", ", others)} do not come to the proxy; they are neither allowed nor denied here");
        }
        return ports;
    }

    private static ushort ReadPort(FieldCursor field)
    {
        var text = field.Text();
        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return port;
        }
        if (field.Node.Kind == Xds.Text.ConfigNodeKind.String)
        {
            field.Refuse(text.Any(char.IsAsciiLetter)
                ? "named ports are not resolved; write the number"
                : "is no port; write a number from 0 to 65535 in quotes");
        }
        return 0;
    }

    private static List<string> ReadServerNames(FieldCursor item)
    {
        var names = new List<string>();
        var field = item.Field("serverNames");
        foreach (var one in field?.Items() ?? [])
        {
            var name = one.Text();
            if (name.Length == 0 || !SniPattern.TryParse(name, out _))
            {
                one.Refuse("is no server name; labels are '*', '**', or letters, digits, '-', '_' with single '*' between");
            }
            names.Add(name);
        }
        if (field is not null && names.Count is 0 or > MaxServerNames)
        {
            field!.Refuse($"needs 1 to {MaxServerNames} names");
        }
        return names;
    }

    private static SecretReference? ReadTls(FieldCursor item, string name)
    {
        if (item.Field(name) is not { } field)
        {
            return null;
        }
        var secret = field.Required("secret") is { } one ? L7RuleReader.ReadSecret(one, "default") : null;
        // Names of entries within the secret: only the usual ones are served.
        foreach (var (entry, usual) in new[] { ("trustedCA", "ca.crt"), ("certificate", "tls.crt"), ("privateKey", "tls.key") })
        {
            if (field.Field(entry) is { } other && other.Text() != usual)
            {
                other.Refuse($"only {usual} is read from a secret; rename the entry and remove this");
            }
        }
        field.RefuseUnknown();
        return secret;
    }

    private static ListenerReference? ReadListener(FieldCursor item, ObjectMetadata metadata)
    {
        if (item.Field("listener") is not { } field)
        {
            return null;
        }
        var name = field.Required("name") is { } nameField ? ObjectMetadata.Name(nameField) : "";
        field.Field("priority")?.Integer(0, 100);
        var clusterwide = metadata.Key.Namespace.Length == 0;
        var (kind, owner) = ("CiliumEnvoyConfig", "");
        if (field.Required("envoyConfig") is { } config)
        {
            kind = config.Field("kind")?.Choice("CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig") ?? (clusterwide ? "CiliumClusterwideEnvoyConfig" : kind);
            owner = config.Required("name") is { } ownerField ? ObjectMetadata.Name(ownerField) : "";
            config.RefuseUnknown();
        }
        if (clusterwide && kind == "CiliumEnvoyConfig")
        {
            field.Refuse("a clusterwide policy names a CiliumClusterwideEnvoyConfig");
        }
        field.RefuseUnknown();
        return new ListenerReference(new ObjectKey(kind, kind == "CiliumEnvoyConfig" ? metadata.Key.Namespace : "", owner), name);
    }
}
