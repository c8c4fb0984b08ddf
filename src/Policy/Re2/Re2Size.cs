using System;

namespace Postern.Policy.Re2;

/// <summary>
/// Bounds what an expression unrolls to. Linear time is linear in the text times the automaton, so the automaton is bounded too:
/// RE2 refuses nested counts whose product exceeds 1000, and Postern refuses more than <see cref="MaxNodes"/> unrolled positions.
/// </summary>
internal static class Re2Size
{
    public const int MaxNodes = 20_000;

    public static void Check(Re2Node root)
    {
        if (NestedRepeat(root) > Re2Parser.MaxRepeat)
        {
            throw new Re2SyntaxException($"invalid repetition size: nested counts multiply to more than {Re2Parser.MaxRepeat}");
        }
        var size = Unrolled(root);
        if (size > MaxNodes)
        {
            throw new Re2SyntaxException($"expression unrolls to {size} positions, at most {MaxNodes} are accepted; lower the counts in {{n,m}}");
        }
    }

    private static long NestedRepeat(Re2Node node)
    {
        long largest = 1;
        foreach (var child in node.Children)
        {
            largest = Math.Max(largest, NestedRepeat(child));
        }
        if (node.Kind == Re2Kind.Repeat)
        {
            largest *= Math.Max(1, node.Max == Re2Node.Unbounded ? node.Min : node.Max);
        }
        return Math.Min(largest, int.MaxValue);
    }

    private static long Unrolled(Re2Node node)
    {
        long size = node.Kind == Re2Kind.Set ? 1 + (node.Set.Ranges.Length / 16) : 1;
        foreach (var child in node.Children)
        {
            size += Unrolled(child);
        }
        if (node.Kind == Re2Kind.Repeat)
        {
            size *= node.Max == Re2Node.Unbounded ? node.Min + 1 : Math.Max(1, node.Max);
        }
        return Math.Min(size, int.MaxValue);
    }
}
