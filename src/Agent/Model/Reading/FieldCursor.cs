using System;
using System.Collections.Generic;
using System.Globalization;
using Postern.Xds.Text;

namespace Postern.Agent.Model.Reading;

/// <summary>
/// A value of a document while it is being read. What is wrong goes to the document's list and reading goes on, so that one look shows
/// all mistakes. Names that were never asked for are unknown: every map ends with <see cref="RefuseUnknown"/>.
/// </summary>
internal sealed class FieldCursor(ConfigNode node, string path, DocumentProblems problems)
{
    private readonly HashSet<string> known = new(StringComparer.Ordinal);

    public ConfigNode Node => node;

    public string Path => path;

    public DocumentProblems Problems => problems;

    /// <summary>The member, or null when it is absent. A member without a value is refused: a forgotten list must not mean "everything".</summary>
    public FieldCursor? Field(string name)
    {
        known.Add(name);
        if (!RequireMap())
        {
            return null;
        }
        foreach (var member in node.Members)
        {
            if (member.Name == name)
            {
                var at = new FieldCursor(member.Value, Join(name), problems);
                if (member.Value.Kind != ConfigNodeKind.Null)
                {
                    return at;
                }
                at.Refuse("has no value; remove the field, or write {} or [] for an empty one");
                return null;
            }
        }
        return null;
    }

    /// <summary>The member; its absence is a problem.</summary>
    public FieldCursor? Required(string name)
    {
        var found = Field(name);
        if (found is null && node.Kind == ConfigNodeKind.Map && !node.Members.Exists(member => member.Name == name))
        {
            Refuse($"has no {name}");
        }
        return found;
    }

    /// <summary>Names that may stand there with any value and mean nothing here.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            known.Add(name);
        }
    }

    /// <summary>Members whose names are free.</summary>
    public IEnumerable<(string Name, FieldCursor Value)> Members()
    {
        if (RequireMap())
        {
            foreach (var member in node.Members)
            {
                yield return (member.Name, new FieldCursor(member.Value, $"{path}[\"{Printable.Clip(member.Name)}\"]", problems));
            }
        }
    }

    /// <summary>Items of a list.</summary>
    public List<FieldCursor> Items()
    {
        var items = new List<FieldCursor>();
        if (node.Kind != ConfigNodeKind.List)
        {
            Refuse($"expected a list, found {node.Describe()}");
        }
        for (var i = 0; node.Kind == ConfigNodeKind.List && i < node.Items.Count; i++)
        {
            var item = new FieldCursor(node.Items[i], $"{path}[{i}]", problems);
            if (node.Items[i].Kind == ConfigNodeKind.Null)
            {
                item.Refuse("an empty list item; remove it or give it a value");
            }
            else
            {
                items.Add(item);
            }
        }
        return items;
    }

    /// <summary>A string; empty after a problem.</summary>
    public string Text()
    {
        if (node.Kind == ConfigNodeKind.String)
        {
            return node.Text;
        }
        // The value itself is not repeated: it may be a secret.
        Refuse(node.Kind is ConfigNodeKind.Number or ConfigNodeKind.Bool ? "expected a string; put it in quotes" : $"expected a string, found {node.Describe()}");
        return "";
    }

    public bool Flag()
    {
        if (node.Kind != ConfigNodeKind.Bool)
        {
            Refuse($"expected true or false, found {node.Describe()}");
        }
        return node is { Kind: ConfigNodeKind.Bool, Text: "true" };
    }

    /// <summary>A whole number within bounds; <paramref name="min"/> after a problem.</summary>
    public int Integer(int min, int max)
    {
        if (node.Kind == ConfigNodeKind.Number && int.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
        {
            return value;
        }
        Refuse($"expected a whole number within {min} to {max}, found {node.Describe()}");
        return min;
    }

    /// <summary>One of some words, without case unless said otherwise; the first after a problem.</summary>
    public string Choice(params string[] words)
    {
        var text = Text();
        if (Array.IndexOf(words, text) < 0)
        {
            if (node.Kind == ConfigNodeKind.String)
            {
                Refuse($"expected one of {string.Join(", ", words)}, found {Printable.Quote(text)}", NearMiss.Find(text, words));
            }
            return words[0];
        }
        return text;
    }

    public Dictionary<string, string> TextMap()
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in Members())
        {
            map[name] = value.Text();
        }
        return map;
    }

    /// <summary>Ends a map: what nobody asked for is a problem, with the name that was probably meant.</summary>
    public void RefuseUnknown()
    {
        foreach (var member in node.Members)
        {
            if (!known.Contains(member.Name))
            {
                problems.Add(member.Line, member.Column, Join(member.Name), $"unknown field {Printable.Quote(member.Name)}", NearMiss.Find(member.Name, known));
            }
        }
    }

    public void Refuse(string reason, string? nearest = null) => problems.Add(node.Line, node.Column, path, reason, nearest);

    private bool RequireMap()
    {
        if (node.Kind != ConfigNodeKind.Map && known.Add("\0not a map"))
        {
            Refuse($"expected a map, found {node.Describe()}");
        }
        return node.Kind == ConfigNodeKind.Map;
    }

    private string Join(string name) => path.Length == 0 ? Printable.Clip(name) : path + "." + Printable.Clip(name);
}
