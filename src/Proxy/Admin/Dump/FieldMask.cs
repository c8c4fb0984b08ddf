using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Postern.Proxy.Admin.Dump;

/// <summary>The <c>mask</c> parameter: field paths that stay, like <c>active_state.version_info,name</c>. A path keeps all that is below it.</summary>
internal sealed class FieldMask
{
    private const int MaxPaths = 64;

    private readonly Dictionary<string, FieldMask?> kept = new(StringComparer.Ordinal); // null: the field stays whole

    /// <summary>Reads the paths; null when there is none.</summary>
    /// <exception cref="BadQueryException">A path is empty, or there are too many.</exception>
    public static FieldMask? Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }
        var paths = text.Split(',');
        if (paths.Length > MaxPaths)
        {
            throw new BadQueryException($"mask: more than {MaxPaths} paths");
        }
        var mask = new FieldMask();
        foreach (var path in paths)
        {
            mask.Add(path.Trim().Split('.'));
        }
        return mask;
    }

    /// <summary>Whether the field stays, and what of it; null is everything.</summary>
    public bool TryEnter(string field, out FieldMask? below) => kept.TryGetValue(field, out below);

    /// <summary>Writes the fields that stay, into an object that is open.</summary>
    public void WriteFields(Utf8JsonWriter json, Action<Utf8JsonWriter> writeAll)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var whole = new Utf8JsonWriter(buffer))
        {
            whole.WriteStartObject();
            writeAll(whole);
            whole.WriteEndObject();
        }
        var node = (JsonObject)JsonNode.Parse(buffer.WrittenSpan)!;
        Prune(node);
        foreach (var (name, value) in node)
        {
            json.WritePropertyName(name);
            WriteNode(json, value);
        }
    }

    private static void WriteNode(Utf8JsonWriter json, JsonNode? node)
    {
        if (node is null)
        {
            json.WriteNullValue();
        }
        else
        {
            node.WriteTo(json);
        }
    }

    private void Add(ReadOnlySpan<string> path)
    {
        if (path[0].Length == 0)
        {
            throw new BadQueryException("mask: a path has an empty name; write field.field, and a comma between paths");
        }
        if (path.Length == 1)
        {
            kept[path[0]] = null;
            return;
        }
        if (kept.TryGetValue(path[0], out var below) && below is null)
        {
            return; // a shorter path keeps it whole
        }
        below ??= new FieldMask();
        kept[path[0]] = below;
        below.Add(path[1..]);
    }

    private void Prune(JsonObject node)
    {
        var names = new List<string>();
        foreach (var (name, _) in node)
        {
            names.Add(name);
        }
        foreach (var name in names)
        {
            if (name == "@type")
            {
                continue;
            }
            if (!kept.TryGetValue(name, out var below))
            {
                node.Remove(name);
            }
            else if (below is not null)
            {
                below.PruneValue(node[name]);
            }
        }
    }

    private void PruneValue(JsonNode? value)
    {
        if (value is JsonObject inner)
        {
            Prune(inner);
        }
        else if (value is JsonArray items)
        {
            foreach (var item in items)
            {
                PruneValue(item);
            }
        }
    }
}
