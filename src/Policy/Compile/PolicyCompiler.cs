using System;
using System.Collections.Generic;
using Postern.Policy.Config;

namespace Postern.Policy.Compile;

/// <summary>
/// Turns a set of resources into a snapshot. What did not change is taken over by reference, on four levels: an equal resource keeps its
/// EndpointPolicy, an equal direction its port table, an equal rule list its PortPolicy, an equal list of HTTP rules its matchers. So an
/// update costs what changed (plus one look-up per endpoint), and memory grows with different rule lists, not with endpoints.
/// </summary>
internal sealed class PolicyCompiler(PolicySnapshot previous)
{
    private Dictionary<EquatableList<PortNetworkPolicyConfig>, DirectionPolicy>? directions; // seeded on first need
    private PortPolicyCompiler? ports;

    /// <exception cref="PolicyConfigException">The update is refused as a whole.</exception>
    public PolicySnapshot Compile(IReadOnlyList<NetworkPolicyConfig> resources, UpdateOrigin origin)
    {
        var kept = new Dictionary<string, EndpointPolicy>(previous.Endpoints.Count, StringComparer.Ordinal);
        foreach (var endpoint in previous.Endpoints)
        {
            kept.Add(endpoint.Name, endpoint);
        }
        var configs = new NetworkPolicyConfig[resources.Count];
        var endpoints = new EndpointPolicy[resources.Count];
        for (var i = 0; i < configs.Length; i++)
        {
            configs[i] = resources[i];
            PolicyValidator.CheckResource(configs[i]);
        }
        PolicyValidator.CheckKeys(configs, origin);
        for (var i = 0; i < configs.Length; i++)
        {
            endpoints[i] = kept.TryGetValue(configs[i].Name, out var same) && same.Config.Equals(configs[i]) ? same : CompileEndpoint(configs[i]);
        }
        return new PolicySnapshot(configs, endpoints);
    }

    private EndpointPolicy CompileEndpoint(NetworkPolicyConfig config) => new(
        config,
        CompileDirection(config.Name, "ingress_per_port_policies", config.Ingress),
        CompileDirection(config.Name, "egress_per_port_policies", config.Egress));

    private DirectionPolicy CompileDirection(string resource, string field, EquatableList<PortNetworkPolicyConfig> entries)
    {
        directions ??= SeedDirections();
        if (directions.TryGetValue(entries, out var known))
        {
            return known;
        }
        ports ??= new PortPolicyCompiler(previous);
        var path = field;
        try
        {
            if (entries.Count > PolicyValidator.MaxEntries)
            {
                throw new FieldException($"has {entries.Count} entries, at most {PolicyValidator.MaxEntries} are accepted");
            }
            var cutter = new PortRangeCutter();
            for (var i = 0; i < entries.Count; i++)
            {
                path = $"{field}[{i}]";
                PolicyValidator.CheckEntry(entries[i]);
                var rules = new RuleEntry[entries[i].Rules.Count];
                for (var k = 0; k < rules.Length; k++)
                {
                    try
                    {
                        rules[k] = ports.CompileRule(entries[i].Rules[k]);
                    }
                    catch (FieldException error)
                    {
                        throw new FieldException(error.Message) { Path = Join($"rules[{k}]", error.Path) };
                    }
                }
                if (entries[i].Protocol == PolicyProtocol.Tcp)
                {
                    cutter.Add(entries[i], rules);
                }
            }
            path = field;
            var pieces = cutter.Finish();
            var ranges = new PortRangePolicy[pieces.Count];
            for (var i = 0; i < ranges.Length; i++)
            {
                ranges[i] = new PortRangePolicy(pieces[i].Start, pieces[i].End, ports.Compile(pieces[i].Rules));
            }
            var compiled = new DirectionPolicy(entries, ranges);
            directions.Add(entries, compiled);
            return compiled;
        }
        catch (FieldException error)
        {
            throw PolicyValidator.Constraint(resource, Join(path, error.Path), error.Message);
        }
    }

    private static string Join(string path, string below) => below.Length == 0 ? path : $"{path}.{below}";

    private Dictionary<EquatableList<PortNetworkPolicyConfig>, DirectionPolicy> SeedDirections()
    {
        var seeded = new Dictionary<EquatableList<PortNetworkPolicyConfig>, DirectionPolicy>(previous.Endpoints.Count);
        foreach (var endpoint in previous.Endpoints)
        {
            foreach (var direction in Directions)
            {
                var compiled = endpoint.For(direction);
                seeded.TryAdd(compiled.Config, compiled);
            }
        }
        return seeded;
    }

    private static readonly TrafficDirection[] Directions = [TrafficDirection.Ingress, TrafficDirection.Egress];
}
