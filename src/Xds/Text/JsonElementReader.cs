using System;
using System.Text.Json;

namespace Postern.Xds.Text;

/// <summary>A <see cref="JsonElement"/> as nodes; positions are not known.</summary>
internal static class JsonElementReader
{
    /// <summary>Copies the element; throws <see cref="XdsConfigException"/>.</summary>
    public static ConfigNode Read(JsonElement element, ConfigPath path) => Read(element, new ConfigNodeBuilder(ConfigTextLimits.Default), 1, path);

    private static ConfigNode Read(JsonElement element, ConfigNodeBuilder builder, int depth, ConfigPath path)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                builder.CheckDepth(depth, path, 0, 0);
                var map = builder.Create(ConfigNodeKind.Map, "", path, 0, 0);
                var names = builder.BeginMap();
                foreach (var property in element.EnumerateObject())
                {
                    var name = Text(() => property.Name, path);
                    var at = path.Field(name);
                    ConfigNodeBuilder.CheckNew(names, name, at, 0, 0);
                    map.Members.Add(new ConfigMember(name, 0, 0, Read(property.Value, builder, depth + 1, at)));
                }
                builder.EndMap(names);
                return map;
            case JsonValueKind.Array:
                builder.CheckDepth(depth, path, 0, 0);
                var list = builder.Create(ConfigNodeKind.List, "", path, 0, 0);
                foreach (var item in element.EnumerateArray())
                {
                    list.Items.Add(Read(item, builder, depth + 1, path.Item(list.Items.Count)));
                }
                return list;
            case JsonValueKind.String:
                return builder.Create(ConfigNodeKind.String, Text(() => element.GetString()!, path), path, 0, 0);
            case JsonValueKind.Number:
                return builder.Create(ConfigNodeKind.Number, element.GetRawText(), path, 0, 0);
            case JsonValueKind.True:
                return builder.Create(ConfigNodeKind.Bool, "true", path, 0, 0);
            case JsonValueKind.False:
                return builder.Create(ConfigNodeKind.Bool, "false", path, 0, 0);
            default:
                return builder.Create(ConfigNodeKind.Null, "", path, 0, 0);
        }
    }

    // Unpaired surrogates and bad UTF-8 only show when the text is decoded.
    private static string Text(Func<string> decode, ConfigPath path)
    {
        try
        {
            return decode();
        }
        catch (InvalidOperationException e)
        {
            throw new XdsConfigException(path.ToString(), "a string is not valid Unicode", inner: e);
        }
    }
}
