using System;
using System.Diagnostics.CodeAnalysis;
using Postern.Policy.Matching;

namespace Postern.Policy;

/// <summary>
/// One item of <c>server_names</c>: labels joined by ".", a label being <c>**</c> (one or more whole labels), <c>*</c>, or DNS characters
/// with single stars that stand for zero or more DNS characters within the label. The lone pattern <c>*</c> is one or more labels.
/// Matching folds ASCII case. No expression engine: labels are matched one by one against the set of pattern positions reachable so far,
/// so the cost is text labels × pattern labels whatever the input.
/// </summary>
public sealed class SniPattern
{
    private const int MaxLabels = 256;

    private readonly string text; // lower case
    private readonly string[]? labels; // null: no star, plain equality

    private SniPattern(string text, string[]? labels)
    {
        this.text = text;
        this.labels = labels;
    }

    /// <summary>True when the text is a pattern. The empty string is one (it matches nothing), though configuration must not hold it.</summary>
    public static bool TryParse(string pattern, [NotNullWhen(true)] out SniPattern? parsed)
    {
        parsed = null;
        var lower = pattern.ToLowerInvariant();
        if (!System.Text.Ascii.IsValid(pattern))
        {
            return false;
        }
        if (lower.Length == 0 || !lower.Contains('*', StringComparison.Ordinal))
        {
            foreach (var label in lower.Length == 0 ? [] : lower.Split('.'))
            {
                if (!IsPlainLabel(label))
                {
                    return false;
                }
            }
            parsed = new SniPattern(lower, null);
            return true;
        }
        var labels = lower.Split('.');
        if (labels.Length > MaxLabels)
        {
            return false;
        }
        foreach (var label in labels)
        {
            if (!IsLabelPattern(label))
            {
                return false;
            }
        }
        parsed = new SniPattern(lower, lower == "*" ? ["**"] : labels);
        return true;
    }

    /// <summary>Parses.</summary>
    /// <exception cref="PolicyConfigException">The text is no pattern.</exception>
    public static SniPattern Parse(string pattern) =>
        TryParse(pattern, out var parsed) ? parsed : throw new PolicyConfigException($"SniPattern: Unsupported match pattern {pattern}");

    /// <summary>True when the whole name matches. The empty name matches nothing.</summary>
    public bool Matches(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty)
        {
            return false;
        }
        return labels is null ? AsciiCase.Equal(name, text) : MatchLabels(name, labels);
    }

    /// <inheritdoc/>
    public override string ToString() => text;

    // reached[i]: the labels read so far can be the first i pattern labels.
    private static bool MatchLabels(ReadOnlySpan<char> name, string[] pattern)
    {
        Span<bool> reached = stackalloc bool[pattern.Length + 1];
        reached.Clear();
        reached[0] = true;
        var rest = name;
        while (true)
        {
            var dot = rest.IndexOf('.');
            var label = dot < 0 ? rest : rest[..dot];
            var whole = IsPlainLabel(label);
            var alive = false;
            for (var i = pattern.Length; i > 0; i--)
            {
                var step = pattern[i - 1];
                reached[i] = step == "**" ? whole && (reached[i - 1] || reached[i]) : reached[i - 1] && MatchLabel(label, step);
                alive |= reached[i];
            }
            reached[0] = false;
            if (!alive)
            {
                return false;
            }
            if (dot < 0)
            {
                return reached[pattern.Length];
            }
            rest = rest[(dot + 1)..];
        }
    }

    // Glob within one label: on a mismatch go back to the last star and let it take one character more.
    private static bool MatchLabel(ReadOnlySpan<char> label, string pattern)
    {
        int at = 0, p = 0, star = -1, resume = 0;
        while (at < label.Length)
        {
            var c = AsciiCase.Fold(label[at]);
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                resume = at;
            }
            else if (p < pattern.Length && pattern[p] == c)
            {
                p++;
                at++;
            }
            else if (star >= 0 && IsDnsCharacter(label[resume]))
            {
                p = star + 1;
                at = ++resume;
            }
            else
            {
                return false;
            }
        }
        while (p < pattern.Length && pattern[p] == '*')
        {
            p++;
        }
        return p == pattern.Length;
    }

    private static bool IsLabelPattern(string label) =>
        label is "*" or "**" || (!label.Contains("**", StringComparison.Ordinal) && IsPlainLabel(label.Replace("*", "", StringComparison.Ordinal)));

    private static bool IsPlainLabel(ReadOnlySpan<char> label)
    {
        foreach (var c in label)
        {
            if (!IsDnsCharacter(c))
            {
                return false;
            }
        }
        return !label.IsEmpty;
    }

    private static bool IsDnsCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';
}
