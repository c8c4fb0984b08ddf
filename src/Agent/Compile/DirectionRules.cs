using System;
using System.Collections.Generic;
using System.Linq;
using Cilium;
using Envoy.Config.Core.V3;
using Postern.Agent.Model;
using Postern.Policy;

namespace Postern.Agent.Compile;

/// <summary>One direction of an endpoint: what is sent, where it comes from, and which ports want to be looked into.</summary>
internal sealed class DirectionRules
{
    private static readonly PortNetworkPolicyRule AllowEverybody = new() { Name = "enableDefaultDeny: false" };

    private readonly Dictionary<(ushort Port, ushort EndPort), HashSet<uint>?> allowed = []; // null: everybody
    private readonly List<(ushort Port, ushort EndPort)> terminated;

    private DirectionRules(IReadOnlyList<PortNetworkPolicy> entries, IReadOnlyList<RuleOrigin> origins, bool isEnforced)
    {
        Entries = entries;
        Origins = origins;
        IsEnforced = isEnforced;
        HttpPorts = [.. origins.Where(origin => origin.Rule.HttpRules is not null).Select(origin => (origin.Port, Last(origin))).Distinct().Order()];
        terminated = [.. origins.Where(origin => origin.Rule.DownstreamTlsContext is not null).Select(origin => (origin.Port, Last(origin))).Distinct()];
        ListenerPorts = [.. origins.Where(origin => origin.Listener is not null).Select(origin => (origin.Port, Last(origin), origin.Listener!)).Distinct().Order()];
        foreach (var entry in entries)
        {
            var permits = entry.Rules.Where(rule => !rule.Deny).ToList();
            if (entry.Rules.Count == 0 || permits.Count > 0)
            {
                allowed[((ushort)entry.Port, (ushort)entry.EndPort)] =
                    permits.TrueForAll(rule => rule.RemotePolicies.Count > 0) && permits.Count > 0 ? [.. permits.SelectMany(rule => rule.RemotePolicies)] : null;
            }
        }
    }

    /// <summary>As served.</summary>
    public IReadOnlyList<PortNetworkPolicy> Entries { get; }

    /// <summary>Every rule before merging.</summary>
    public IReadOnlyList<RuleOrigin> Origins { get; }

    /// <summary>Whether some policy speaks about this direction.</summary>
    public bool IsEnforced { get; }

    /// <summary>First and last port of what has HTTP rules.</summary>
    public IReadOnlyList<(ushort Port, ushort EndPort)> HttpPorts { get; }

    /// <summary>Ports that go to listeners of a CiliumEnvoyConfig.</summary>
    public IReadOnlyList<(ushort Port, ushort EndPort, string Listener)> ListenerPorts { get; }

    /// <summary>Compiles the rules of all specs that select an endpoint.</summary>
    /// <param name="direction">Which of their rules.</param>
    /// <param name="specs">With the policy each belongs to.</param>
    /// <param name="rules">Builds single rules.</param>
    public static DirectionRules Compile(TrafficDirection direction, IReadOnlyList<(PolicyObject Policy, PolicySpec Spec)> specs, RuleCompiler rules)
    {
        var spoken = false;
        var denies = false;
        var origins = new List<RuleOrigin>();
        foreach (var (policy, spec) in specs)
        {
            denies |= (direction == TrafficDirection.Ingress ? spec.Ingress : spec.Egress) == DefaultDeny.On;
            foreach (var rule in spec.Rules)
            {
                if (rule.Direction == direction)
                {
                    spoken = true;
                    origins.AddRange(rules.Compile(policy, spec, rule));
                }
            }
        }
        if (!spoken && !denies)
        {
            return new DirectionRules([new PortNetworkPolicy { Protocol = SocketAddress.Types.Protocol.Tcp }], [], isEnforced: false);
        }
        var entries = new SortedDictionary<(ushort Port, ushort EndPort), List<PortNetworkPolicyRule>>();
        if (!denies)
        {
            entries[(0, 0)] = [AllowEverybody];
        }
        foreach (var origin in origins)
        {
            if (!entries.TryGetValue((origin.Port, origin.EndPort), out var row))
            {
                entries.Add((origin.Port, origin.EndPort), row = []);
            }
            row.Add(origin.Rule);
        }
        return new DirectionRules([.. entries.Select(Entry)], origins, isEnforced: true);
    }

    /// <summary>A direction in which nothing is allowed.</summary>
    public static DirectionRules DenyAll { get; } = new([], [], isEnforced: true);

    /// <summary>Whether some rule may allow this port to (or from) somebody of that identity; null is anybody.</summary>
    public bool MayAllow(ushort port, ushort endPort, uint? identity)
    {
        foreach (var ((first, last), identities) in allowed)
        {
            var covers = first == 0 || (first <= endPort && Math.Max(first, last) >= port);
            if (covers && (identities is null || identity is null || identities.Contains(identity.Value)))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether some rule of these ports has TLS terminated. Port 0 stands for all.</summary>
    public bool HasTermination(ushort port, ushort endPort) =>
        terminated.Exists(one => one.Port == 0 || (one.Port <= endPort && one.EndPort >= port));

    /// <summary>Whether a rule of the port looks inside or hands it to a listener.</summary>
    public bool HasL7(ushort port)
    {
        foreach (var origin in Origins)
        {
            if (origin.Port != 0 && origin.Port <= port && Last(origin) >= port
                && (origin.Listener is not null || origin.Rule.L7Case != PortNetworkPolicyRule.L7OneofCase.None || origin.Rule.L7Proto.Length > 0))
            {
                return true;
            }
        }
        return false;
    }

    private static ushort Last(RuleOrigin origin) => Math.Max(origin.Port, origin.EndPort);

    private static PortNetworkPolicy Entry(KeyValuePair<(ushort Port, ushort EndPort), List<PortNetworkPolicyRule>> entry)
    {
        var built = new PortNetworkPolicy { Port = entry.Key.Port, EndPort = entry.Key.EndPort, Protocol = SocketAddress.Types.Protocol.Tcp };
        built.Rules.AddRange(PortMerge.Merge(entry.Key.Port, entry.Value));
        return built;
    }
}
