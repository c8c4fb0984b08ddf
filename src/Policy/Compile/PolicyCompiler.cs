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
    private CompilePool? pool; // collected on first need

    /// <summary>A full set.</summary>
    /// <exception cref="PolicyConfigException">The update is refused as a whole.</exception>
    public PolicySnapshot Compile(IReadOnlyList<NetworkPolicyConfig> resources, UpdateOrigin origin)
    {
        var edit = new PolicyEdit(previous);
        var seen = new bool[previous.Endpoints.Count];
        var repeated = false;
        for (var i = 0; i < resources.Count; i++)
        {
            var slot = edit.Put(resources[i], likely: i);
            if (slot >= 0)
            {
                repeated |= seen[slot];
                seen[slot] = true;
            }
        }
        for (var slot = 0; slot < seen.Length; slot++)
        {
            if (!seen[slot])
            {
                edit.Remove(slot);
            }
        }
        return Finish(edit, repeated ? ClashState.Certain : ClashState.Unknown, () => resources, origin);
    }

    /// <summary>Additions, changes and removals.</summary>
    /// <exception cref="PolicyConfigException">The update is refused as a whole.</exception>
    public PolicySnapshot Compile(IReadOnlyList<NetworkPolicyConfig> upserts, IReadOnlyList<string> removed, UpdateOrigin origin)
    {
        var edit = new PolicyEdit(previous);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var repeated = false;
        foreach (var upsert in upserts)
        {
            repeated |= !names.Add(upsert.Name);
            edit.Put(upsert, likely: -1);
        }
        foreach (var name in removed)
        {
            if (!previous.Keys.TryGetValue(name, out var key))
            {
                continue;
            }
            if (key.Kind == PolicyKeyKind.Address)
            {
                throw new PolicyConfigException($"NetworkPolicyResource removed resource '{name}' is a policy endpoint IP alias, not a resource name");
            }
            if (names.Add(name)) // else it is replaced
            {
                edit.Remove(key.Slot);
            }
        }
        return Finish(edit, repeated ? ClashState.Certain : ClashState.Unknown, () => Merge(upserts, names), origin);
    }

    private PolicySnapshot Finish(PolicyEdit edit, ClashState clash, Func<IReadOnlyList<NetworkPolicyConfig>> all, UpdateOrigin origin)
    {
        foreach (var resource in edit.Upserts)
        {
            PolicyValidator.CheckResource(resource);
        }
        var live = previous.Endpoints.Count;
        if (clash == ClashState.Unknown && edit.Finish(CompileEndpoint, () => (pool ?? previous.Pool)?.AfterLosing(edit.Lost, live)) is { } next)
        {
            return next;
        }
        PolicyValidator.CheckKeys(all(), origin); // throws, naming both
        throw new InvalidOperationException("a key stands twice in an update, but the check found none");
    }

    private List<NetworkPolicyConfig> Merge(IReadOnlyList<NetworkPolicyConfig> upserts, HashSet<string> replaced)
    {
        var all = new List<NetworkPolicyConfig>();
        foreach (var resource in previous.Resources)
        {
            if (!replaced.Contains(resource.Name))
            {
                all.Add(resource);
            }
        }
        all.AddRange(upserts);
        return all;
    }

    private EndpointPolicy CompileEndpoint(NetworkPolicyConfig config) => new(
        config,
        CompileDirection(config.Name, "ingress_per_port_policies", config.Ingress),
        CompileDirection(config.Name, "egress_per_port_policies", config.Egress));

    private DirectionPolicy CompileDirection(string resource, string field, EquatableList<PortNetworkPolicyConfig> entries)
    {
        pool ??= previous.Pool ?? new CompilePool(previous);
        var (directions, ports) = (pool.Directions, pool.Ports);
        if (directions.TryGetValue(entries, out var known))
        {
            return known;
        }
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

    private enum ClashState
    {
        Unknown,
        Certain,
    }
}
