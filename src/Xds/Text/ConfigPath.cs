using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Postern.Xds.Text;

/// <summary>
/// A place in a configuration, as a chain from the leaf to the root: cheap to extend on the way down, turned into text only when
/// there is something to report.
/// </summary>
internal sealed class ConfigPath
{
    /// <summary>The whole configuration.</summary>
    public static readonly ConfigPath Empty = new(null, "", -1);

    private readonly ConfigPath? parent;
    private readonly string name; // field name or map key; empty for an index
    private readonly int index;   // -1 when this is a name
    private readonly bool isKey;

    private ConfigPath(ConfigPath? parent, string name, int index, bool isKey = false)
    {
        this.parent = parent;
        this.name = name;
        this.index = index;
        this.isKey = isKey;
    }

    /// <summary>A root with a prefix that is only for display: <see cref="Segments"/> leaves it out.</summary>
    public static ConfigPath Root(string prefix) => prefix.Length == 0 ? Empty : new ConfigPath(null, prefix, -1);

    /// <summary>A field by its original name.</summary>
    public ConfigPath Field(string field) => new(this, field, -1);

    /// <summary>An entry of a map.</summary>
    public ConfigPath Key(string key) => new(this, key, -1, isKey: true);

    /// <summary>An item of a list.</summary>
    public ConfigPath Item(int position) => new(this, "", position);

    /// <summary>A place below this one, by its path from here.</summary>
    public ConfigPath Below(ConfigPath tail) =>
        tail.parent is null ? this : new ConfigPath(Below(tail.parent), tail.name, tail.index, tail.isKey);

    /// <summary>An error here.</summary>
    public XdsConfigException Error(string reason) => new(this, reason);

    /// <summary>Names and indexes from the root down, without the display prefix.</summary>
    public List<(string Name, int Index)> Segments()
    {
        var result = new List<(string, int)>();
        for (var at = this; at.parent is not null; at = at.parent)
        {
            result.Add((at.name, at.index));
        }
        result.Reverse();
        return result;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var chain = new List<ConfigPath>();
        for (var at = this; at is not null; at = at.parent)
        {
            chain.Add(at);
        }
        var text = new StringBuilder();
        for (var i = chain.Count - 1; i >= 0; i--)
        {
            var step = chain[i];
            if (step.index >= 0)
            {
                text.Append('[').Append(step.index.ToString(CultureInfo.InvariantCulture)).Append(']');
            }
            else if (step.isKey)
            {
                text.Append("[\"").Append(Printable.Clip(step.name)).Append("\"]");
            }
            else if (step.name.Length > 0)
            {
                text.Append(text.Length > 0 ? "." : "").Append(Printable.Clip(step.name));
            }
        }
        return text.ToString();
    }
}
