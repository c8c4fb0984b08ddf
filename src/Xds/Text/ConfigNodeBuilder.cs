using System.Collections.Generic;

namespace Postern.Xds.Text;

/// <summary>
/// The bounds every reader shares: depth, number of values, duplicate names. A duplicate is refused because readers disagree on
/// which one wins, and a policy must not mean two things.
/// </summary>
internal sealed class ConfigNodeBuilder(ConfigTextLimits limits)
{
    private readonly Stack<HashSet<string>> names = new();
    private int count;

    /// <summary>Counts a value.</summary>
    public ConfigNode Create(ConfigNodeKind kind, string text, ConfigPath path, int line, int column)
    {
        if (++count > limits.MaxValues)
        {
            throw new XdsConfigException(path.ToString(), $"more than {limits.MaxValues} values; split the file", null, line, column);
        }
        return new ConfigNode(kind, text, line, column);
    }

    /// <summary>Enters a list or map that is <paramref name="depth"/> deep (1 is the root).</summary>
    public void CheckDepth(int depth, ConfigPath path, int line, int column)
    {
        if (depth > limits.MaxDepth)
        {
            throw new XdsConfigException(path.ToString(), $"nested deeper than {limits.MaxDepth} levels", null, line, column);
        }
    }

    /// <summary>A set for the names of one map; give it back with <see cref="EndMap"/>.</summary>
    public HashSet<string> BeginMap() => names.TryPop(out var set) ? set : new HashSet<string>(System.StringComparer.Ordinal);

    /// <summary>Ends a map.</summary>
    public void EndMap(HashSet<string> set)
    {
        set.Clear();
        names.Push(set);
    }

    /// <summary>Refuses a name that the map has already.</summary>
    public static void CheckNew(HashSet<string> set, string name, ConfigPath path, int line, int column)
    {
        if (!set.Add(name))
        {
            throw new XdsConfigException(path.ToString(), "duplicate key; keep one of them", null, line, column);
        }
    }
}

/// <summary>Bounds on a configuration text.</summary>
/// <param name="MaxBytes">Size of a file.</param>
/// <param name="MaxDepth">Nested lists and maps.</param>
/// <param name="MaxValues">Scalars, lists and maps together.</param>
public sealed record ConfigTextLimits(int MaxBytes = 64 << 20, int MaxDepth = 64, int MaxValues = 8_000_000)
{
    /// <summary>64 MiB, 64 levels, 8 million values.</summary>
    public static readonly ConfigTextLimits Default = new();
}
