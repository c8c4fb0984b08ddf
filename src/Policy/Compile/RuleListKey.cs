using System;
using Postern.Policy.Config;

namespace Postern.Policy.Compile;

/// <summary>A port's rules in evaluation order, as the key under which its compiled form is shared.</summary>
internal sealed class RuleListKey : IEquatable<RuleListKey>
{
    public static readonly RuleListKey Empty = new([]);

    private readonly int hash;

    public RuleListKey(RuleEntry[] entries)
    {
        Configs = new PortRuleConfig[entries.Length];
        var code = default(HashCode);
        for (var i = 0; i < entries.Length; i++)
        {
            Configs[i] = entries[i].Config;
            code.Add(entries[i].Hash);
        }
        hash = code.ToHashCode();
    }

    public PortRuleConfig[] Configs { get; }

    public int Count => Configs.Length;

    public bool Equals(RuleListKey? other)
    {
        if (ReferenceEquals(this, other))
        {
            return true;
        }
        if (other is null || hash != other.hash || Count != other.Count)
        {
            return false;
        }
        for (var i = 0; i < Count; i++)
        {
            if (!ReferenceEquals(Configs[i], other.Configs[i]) && !Configs[i].Equals(other.Configs[i]))
            {
                return false;
            }
        }
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as RuleListKey);

    public override int GetHashCode() => hash;
}
