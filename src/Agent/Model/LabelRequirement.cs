using System;
using System.Collections.Generic;
using System.Linq;

namespace Postern.Agent.Model;

/// <summary>The operators of matchExpressions.</summary>
public enum SelectorOperator
{
    /// <summary>The label is there with one of the values. matchLabels is this with one value.</summary>
    In,

    /// <summary>The label is absent or has another value.</summary>
    NotIn,

    /// <summary>The label is there.</summary>
    Exists,

    /// <summary>The label is absent.</summary>
    DoesNotExist,
}

/// <summary>One condition on labels.</summary>
/// <param name="Source">Source of the label, or <see cref="Label.Any"/>.</param>
/// <param name="Key">Without the source.</param>
/// <param name="Operator">What must hold.</param>
/// <param name="Values">For In and NotIn.</param>
public sealed record LabelRequirement(string Source, string Key, SelectorOperator Operator, IReadOnlyList<string> Values)
{
    /// <summary>The label is there with that value.</summary>
    public static LabelRequirement Is(string source, string key, string value) => new(source, key, SelectorOperator.In, [value]);

    /// <summary>Whether it holds.</summary>
    public bool Matches(LabelSet labels)
    {
        var present = false;
        var valued = false;
        foreach (var label in labels.Find(Key))
        {
            if (Source == Label.Any || label.Source == Source)
            {
                present = true;
                valued |= Values.Contains(label.Value);
            }
        }
        return Operator switch
        {
            SelectorOperator.In => valued,
            SelectorOperator.NotIn => !valued,
            SelectorOperator.Exists => present,
            _ => !present,
        };
    }

    /// <summary>In a form that never reads as another one.</summary>
    public override string ToString() => $"{Source}:{Key} {Operator} [{string.Join(", ", Values.Order(StringComparer.Ordinal))}]";
}
