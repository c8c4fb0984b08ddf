using System;
using System.Text.Json;

namespace Postern.Xds.Text;

/// <summary>
/// A JSON text as nodes with line and column. JSON is not read through the YAML reader, although YAML is nearly a superset: the
/// two differ in escapes (surrogate pairs), tabs and duplicate keys, and a file named .json should mean what every JSON tool says.
/// </summary>
internal ref struct JsonTextReader
{
    private readonly ReadOnlySpan<byte> bytes;
    private readonly ConfigNodeBuilder builder;
    private Utf8JsonReader reader;
    private int scanned;   // bytes before this offset are counted into line and column
    private int line = 1;
    private int column = 1;

    private JsonTextReader(ReadOnlySpan<byte> bytes, ConfigTextLimits limits)
    {
        this.bytes = bytes;
        builder = new ConfigNodeBuilder(limits);
        // One more than our own bound, so that ours is the one that speaks.
        reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = limits.MaxDepth + 1 });
    }

    /// <summary>Reads one value and nothing behind it; throws <see cref="XdsConfigException"/> without a file name.</summary>
    public static ConfigNode Read(ReadOnlySpan<byte> bytes, ConfigTextLimits limits)
    {
        var text = new JsonTextReader(bytes, limits);
        try
        {
            text.reader.Read();
            var root = text.ReadValue(1, ConfigPath.Empty);
            text.reader.Read(); // throws when something follows
            return root;
        }
        catch (JsonException e)
        {
            throw new XdsConfigException("", "not JSON: " + Reason(e), null, (int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1, e);
        }
        catch (InvalidOperationException e)
        {
            // Utf8JsonReader says this of bad UTF-8 and of unpaired surrogates, when the string is decoded.
            throw new XdsConfigException("", "a string is not valid Unicode", null, text.line, text.column, e);
        }
    }

    private ConfigNode ReadValue(int depth, ConfigPath path)
    {
        MoveTo((int)reader.TokenStartIndex);
        var (atLine, atColumn) = (line, column);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                builder.CheckDepth(depth, path, atLine, atColumn);
                return ReadMap(depth, path, builder.Create(ConfigNodeKind.Map, "", path, atLine, atColumn));
            case JsonTokenType.StartArray:
                builder.CheckDepth(depth, path, atLine, atColumn);
                var list = builder.Create(ConfigNodeKind.List, "", path, atLine, atColumn);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    list.Items.Add(ReadValue(depth + 1, path.Item(list.Items.Count)));
                }
                return list;
            case JsonTokenType.String:
                return builder.Create(ConfigNodeKind.String, reader.GetString()!, path, atLine, atColumn);
            case JsonTokenType.Number:
                return builder.Create(ConfigNodeKind.Number, System.Text.Encoding.ASCII.GetString(reader.ValueSpan), path, atLine, atColumn);
            case JsonTokenType.True or JsonTokenType.False:
                return builder.Create(ConfigNodeKind.Bool, reader.TokenType == JsonTokenType.True ? "true" : "false", path, atLine, atColumn);
            default:
                return builder.Create(ConfigNodeKind.Null, "", path, atLine, atColumn);
        }
    }

    private ConfigNode ReadMap(int depth, ConfigPath path, ConfigNode map)
    {
        var names = builder.BeginMap();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            MoveTo((int)reader.TokenStartIndex);
            var (atLine, atColumn) = (line, column);
            var name = reader.GetString()!;
            var at = path.Field(name);
            ConfigNodeBuilder.CheckNew(names, name, at, atLine, atColumn);
            reader.Read();
            map.Members.Add(new ConfigMember(name, atLine, atColumn, ReadValue(depth + 1, at)));
        }
        builder.EndMap(names);
        return map;
    }

    // Tokens come in order, so every byte is looked at once.
    private void MoveTo(int offset)
    {
        for (; scanned < offset; scanned++)
        {
            var b = bytes[scanned];
            if (b == '\n')
            {
                line++;
                column = 1;
            }
            else if ((b & 0xC0) != 0x80)
            {
                column++; // continuation bytes of UTF-8 take no column
            }
        }
    }

    // The message ends in "LineNumber: .. | BytePositionInLine: ..", counted from zero, which would contradict ours.
    private static string Reason(JsonException e)
    {
        var cut = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return Printable.Clip(cut < 0 ? e.Message : e.Message[..cut]);
    }
}
