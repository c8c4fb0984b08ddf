using System.Collections.Generic;

namespace Postern.Xds.Text;

/// <summary>What a <see cref="ConfigNode"/> is. The names are those of JSON; YAML is reduced to them.</summary>
internal enum ConfigNodeKind
{
    /// <summary>JSON null, YAML null, ~ or nothing.</summary>
    Null,

    /// <summary><see cref="ConfigNode.Text"/> is <c>true</c> or <c>false</c>.</summary>
    Bool,

    /// <summary><see cref="ConfigNode.Text"/> as written.</summary>
    Number,

    /// <summary>A string.</summary>
    String,

    /// <summary>Items.</summary>
    List,

    /// <summary>Members, in order, without duplicates.</summary>
    Map,
}

/// <summary>One value of a JSON or YAML text with its place in it, before anything is known about its type.</summary>
internal sealed class ConfigNode(ConfigNodeKind kind, string text, int line, int column)
{
    /// <summary>What it is.</summary>
    public ConfigNodeKind Kind { get; } = kind;

    /// <summary>The text of a scalar.</summary>
    public string Text { get; } = text;

    /// <summary>1-based, 0 when unknown.</summary>
    public int Line { get; } = line;

    /// <summary>1-based, 0 when unknown.</summary>
    public int Column { get; } = column;

    /// <summary>Of a list.</summary>
    public List<ConfigNode> Items { get; } = kind == ConfigNodeKind.List ? [] : NoItems;

    /// <summary>Of a map.</summary>
    public List<ConfigMember> Members { get; } = kind == ConfigNodeKind.Map ? [] : NoMembers;

    /// <summary>The kind in an error message.</summary>
    public string Describe() => Kind switch
    {
        ConfigNodeKind.Null => "nothing (null)",
        ConfigNodeKind.Bool => Text,
        ConfigNodeKind.Number => "the number " + Printable.Clip(Text),
        ConfigNodeKind.String => "a string",
        ConfigNodeKind.List => "a list",
        _ => "a map",
    };

    private static readonly List<ConfigNode> NoItems = [];
    private static readonly List<ConfigMember> NoMembers = [];
}

/// <summary>A member of a map: its name and where that stands.</summary>
internal readonly record struct ConfigMember(string Name, int Line, int Column, ConfigNode Value);
