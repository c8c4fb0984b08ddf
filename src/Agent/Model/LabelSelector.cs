using System;
using System.Collections.Generic;
using System.Linq;

namespace Postern.Agent.Model;

/// <summary>matchLabels and matchExpressions, all of which must hold. Compared by content.</summary>
public sealed class LabelSelector : IEquatable<LabelSelector>
{
    private readonly string text;

    /// <summary>Order does not matter.</summary>
    public LabelSelector(IEnumerable<LabelRequirement> requirements)
    {
        Requirements = [.. requirements.OrderBy(one => one.ToString(), StringComparer.Ordinal)];
        text = string.Join(" && ", Requirements);
    }

    /// <summary>Sorted. None selects everything.</summary>
    public IReadOnlyList<LabelRequirement> Requirements { get; }

    /// <summary>Whether a requirement is about that key, with one of these sources.</summary>
    public bool Names(string key, params ReadOnlySpan<string> sources)
    {
        foreach (var one in Requirements)
        {
            if (one.Key == key && sources.Contains(one.Source))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>One requirement more.</summary>
    public LabelSelector And(LabelRequirement requirement) => new([.. Requirements, requirement]);

    /// <summary>Whether the labels fulfil all requirements.</summary>
    public bool Matches(LabelSet labels)
    {
        foreach (var one in Requirements)
        {
            if (!one.Matches(labels))
            {
                return false;
            }
        }
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(LabelSelector? other) => other is not null && text == other.text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LabelSelector);

    /// <inheritdoc/>
    public override int GetHashCode() => string.GetHashCode(text, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => text.Length == 0 ? "{}" : text;
}
