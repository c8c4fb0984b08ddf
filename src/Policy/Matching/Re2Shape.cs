using System.Collections.Generic;
using System.Text;
using Postern.Policy.Re2;

namespace Postern.Policy.Matching;

/// <summary>
/// Finds expressions that are comparisons in disguise. Most of those that policies hold are: <c>GET|HEAD</c>, <c>/api/.*</c>,
/// <c>.*\.html</c>, <c>/v(1|2)/.*</c>, <c>.*</c>. The tree is expanded into alternatives (bounded), each a row of literal text and
/// runs of any character; rows of the forms L, L* , *L, L*L and *L* become string comparisons, anything else is left to the automaton.
/// </summary>
internal static class Re2Shape
{
    private const int MaxAlternatives = 64;
    private const int MaxItems = 4096;
    private const int MaxSmallSet = 4;

    private enum ItemKind
    {
        Literal,
        Run,
        Begin,
        End,
    }

    private readonly record struct Item(ItemKind Kind, int CodePoint = 0, int Min = 0, bool Newline = false);

    /// <summary>The cheap matcher that means the same as <paramref name="node"/>, or null.</summary>
    public static TextMatcher? TryReduce(Re2Node node)
    {
        var rows = Expand(node);
        if (rows is null || rows.Count == 0)
        {
            return null;
        }
        var matchers = new List<TextMatcher>();
        var exact = new List<string>();
        foreach (var row in rows)
        {
            var matcher = Reduce(row);
            if (matcher is null)
            {
                return null;
            }
            if (matcher is ExactMatcher single)
            {
                exact.Add(single.Value);
            }
            else
            {
                matchers.Add(matcher);
            }
        }
        if (exact.Count > 8)
        {
            matchers.Insert(0, new ExactSetMatcher(exact));
        }
        else
        {
            for (var i = exact.Count - 1; i >= 0; i--)
            {
                matchers.Insert(0, new ExactMatcher(exact[i]));
            }
        }
        return matchers.Count == 1 ? matchers[0] : new AnyOfMatcher([.. matchers]);
    }

    private static List<Item[]>? Expand(Re2Node node)
    {
        switch (node.Kind)
        {
            case Re2Kind.Empty:
                return [[]];
            case Re2Kind.Begin:
                return [[new Item(ItemKind.Begin)]];
            case Re2Kind.End:
                return [[new Item(ItemKind.End)]];
            case Re2Kind.Set:
                return ExpandSet(node.Set);
            case Re2Kind.Concat:
                List<Item[]>? rows = [[]];
                foreach (var child in node.Children)
                {
                    rows = Cross(rows, Expand(child));
                    if (rows is null)
                    {
                        return null;
                    }
                }
                return rows;
            case Re2Kind.Alternate:
                var all = new List<Item[]>();
                foreach (var child in node.Children)
                {
                    var branch = Expand(child);
                    if (branch is null || all.Count + branch.Count > MaxAlternatives)
                    {
                        return null;
                    }
                    all.AddRange(branch);
                }
                return all;
            case Re2Kind.Repeat:
                return ExpandRepeat(node);
            default:
                return null;
        }
    }

    private static List<Item[]>? ExpandSet(CodePointSet set)
    {
        if (set.IsEmpty || set.Count > MaxSmallSet)
        {
            return null;
        }
        var rows = new List<Item[]>();
        foreach (var (low, high) in set.Ranges)
        {
            for (var c = low; c <= high; c++)
            {
                rows.Add([new Item(ItemKind.Literal, c)]);
            }
        }
        return rows;
    }

    private static List<Item[]>? ExpandRepeat(Re2Node node)
    {
        var child = node.Children[0];
        if (node.Max == Re2Node.Unbounded)
        {
            var newline = child.Set.SameAs(CodePointSet.All);
            return child.Kind == Re2Kind.Set && node.Min <= 1 && (newline || child.Set.SameAs(CodePointSet.NotNewline))
                ? [[new Item(ItemKind.Run, Min: node.Min, Newline: newline)]]
                : null;
        }
        if (node.Max > MaxSmallSet)
        {
            return null;
        }
        var once = Expand(child);
        List<Item[]>? power = [[]];
        List<Item[]> result = node.Min == 0 ? [[]] : [];
        for (var count = 1; count <= node.Max && power is not null; count++)
        {
            power = Cross(power, once);
            if (power is null || result.Count + power.Count > MaxAlternatives)
            {
                return null;
            }
            if (count >= node.Min)
            {
                result.AddRange(power);
            }
        }
        return power is null || result.Count == 0 ? (node.Max == 0 ? [[]] : null) : result;
    }

    private static List<Item[]>? Cross(List<Item[]> left, List<Item[]>? right)
    {
        if (right is null || left.Count * right.Count > MaxAlternatives)
        {
            return null;
        }
        var rows = new List<Item[]>(left.Count * right.Count);
        var items = 0;
        foreach (var a in left)
        {
            foreach (var b in right)
            {
                items += a.Length + b.Length;
                if (items > MaxItems)
                {
                    return null;
                }
                rows.Add([.. a, .. b]);
            }
        }
        return rows;
    }

    private static TextMatcher? Reduce(Item[] row)
    {
        // Anchors at the ends say what a full match says anyway; elsewhere they are left to the automaton.
        int first = 0, last = row.Length;
        while (first < last && row[first].Kind == ItemKind.Begin)
        {
            first++;
        }
        while (last > first && row[last - 1].Kind == ItemKind.End)
        {
            last--;
        }
        var texts = new List<string>();
        var runs = new List<Item>();
        var literal = new StringBuilder();
        for (var i = first; i < last; i++)
        {
            var item = row[i];
            if (item.Kind == ItemKind.Literal)
            {
                literal.Append(WireText.FromCodePoint(item.CodePoint));
                continue;
            }
            if (item.Kind != ItemKind.Run)
            {
                return null;
            }
            if (runs.Count > 0 && literal.Length == 0 && texts.Count == runs.Count)
            {
                // two runs side by side
                var before = runs[^1];
                if (before.Newline != item.Newline || before.Min + item.Min > 1)
                {
                    return null;
                }
                runs[^1] = before with { Min = before.Min + item.Min };
                continue;
            }
            texts.Add(literal.ToString());
            literal.Clear();
            runs.Add(item);
        }
        texts.Add(literal.ToString());
        return runs.Count switch
        {
            0 => new ExactMatcher(texts[0]),
            1 => new AffixMatcher(texts[0], texts[1], runs[0].Min, runs[0].Newline),
            2 when texts[0].Length == 0 && texts[2].Length == 0 && runs[0] == runs[1] && runs[0].Min == 0
                && (runs[0].Newline || !texts[1].Contains('\n')) => new DotContainsMatcher(texts[1], runs[0].Newline),
            _ => null,
        };
    }
}
