using System;
using System.Collections.Generic;
using Postern.Policy.Config;

namespace Postern.Policy.Compile;

/// <summary>How many endpoint policies refer to each generic secret. Immutable: an update that touches no such policy keeps the object.</summary>
internal sealed class SecretUse
{
    public static readonly SecretUse None = new([]);

    private readonly Dictionary<string, int> counts;

    private SecretUse(Dictionary<string, int> counts) => this.counts = counts;

    public IReadOnlyCollection<string> Names => counts.Keys;

    public SecretUse Change(IEnumerable<NetworkPolicyConfig> gone, IEnumerable<NetworkPolicyConfig> come)
    {
        Dictionary<string, int>? next = null;
        foreach (var (policies, step) in new[] { (gone, -1), (come, 1) })
        {
            foreach (var policy in policies)
            {
                foreach (var name in NamesOf(policy))
                {
                    next ??= new Dictionary<string, int>(counts, StringComparer.Ordinal);
                    var count = next.GetValueOrDefault(name) + step;
                    if (count == 0)
                    {
                        next.Remove(name);
                    }
                    else
                    {
                        next[name] = count;
                    }
                }
            }
        }
        return next is null ? this : new SecretUse(next);
    }

    private static HashSet<string> NamesOf(NetworkPolicyConfig policy)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entries in new[] { policy.Ingress, policy.Egress })
        {
            foreach (var entry in entries)
            {
                foreach (var rule in entry.Rules)
                {
                    foreach (var http in rule.HttpRules ?? [])
                    {
                        foreach (var match in http.HeaderMatches)
                        {
                            if (match.ValueSdsSecret.Length > 0)
                            {
                                names.Add(match.ValueSdsSecret);
                            }
                        }
                    }
                }
            }
        }
        return names;
    }
}
