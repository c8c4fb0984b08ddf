using System;
using System.Collections.Generic;
using System.Linq;

namespace Postern.Agent.Model;

/// <summary>The security labels of one identity: sorted, compared by content.</summary>
public sealed class LabelSet : IEquatable<LabelSet>
{
    private readonly Dictionary<string, List<Label>> byKey = new(StringComparer.Ordinal);

    /// <summary>Sorts; equal labels count once.</summary>
    public LabelSet(IEnumerable<Label> labels)
    {
        Labels = [.. labels.Distinct().OrderBy(label => label.ToString(), StringComparer.Ordinal)];
        Texts = [.. Labels.Select(label => label.ToString())];
        Text = string.Join(";", Texts);
        foreach (var label in Labels)
        {
            if (!byKey.TryGetValue(label.Key, out var row))
            {
                byKey.Add(label.Key, row = new List<Label>(1));
            }
            row.Add(label);
        }
    }

    /// <summary>Sorted.</summary>
    public IReadOnlyList<Label> Labels { get; }

    /// <summary>The same as text.</summary>
    public IReadOnlyList<string> Texts { get; }

    /// <summary>All in one; equal sets have equal texts.</summary>
    public string Text { get; }

    /// <summary>The labels of that key, of every source.</summary>
    public IReadOnlyList<Label> Find(string key) => byKey.TryGetValue(key, out var row) ? row : [];

    /// <summary>Whether some label of that key has that source; <see cref="Label.Any"/> takes all.</summary>
    public bool Has(string source, string key) => Find(key).Any(label => source == Label.Any || label.Source == source);

    /// <inheritdoc/>
    public bool Equals(LabelSet? other) => other is not null && Text == other.Text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LabelSet);

    /// <inheritdoc/>
    public override int GetHashCode() => string.GetHashCode(Text, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Text;
}
