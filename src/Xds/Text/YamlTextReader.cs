using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Postern.Xds.Text;

/// <summary>
/// A YAML text as nodes with line and column. Plain scalars are typed by the YAML 1.2 core schema (so <c>yes</c> and <c>on</c>
/// are strings). Anchors, aliases, tags and a second document are refused: they add nothing to a configuration but ways to blow
/// it up or to hide what it says.
/// </summary>
internal sealed class YamlTextReader
{
    private readonly ConfigNodeBuilder builder;
    private readonly IParser parser;

    private YamlTextReader(IParser parser, ConfigTextLimits limits)
    {
        this.parser = parser;
        builder = new ConfigNodeBuilder(limits);
    }

    /// <summary>Reads one document; throws <see cref="XdsConfigException"/> without a file name.</summary>
    public static ConfigNode Read(ReadOnlySpan<byte> bytes, ConfigTextLimits limits) => Read(bytes, limits, static reader => reader.ReadDocument());

    /// <summary>Reads every document; one that holds nothing is left out. The limits are for all of them together.</summary>
    public static IReadOnlyList<ConfigNode> ReadAll(ReadOnlySpan<byte> bytes, ConfigTextLimits limits) =>
        Read(bytes, limits, static reader => reader.ReadDocuments());

    private static T Read<T>(ReadOnlySpan<byte> bytes, ConfigTextLimits limits, Func<YamlTextReader, T> read)
    {
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new XdsConfigException("", "the file is not UTF-8", inner: e);
        }
        try
        {
            return read(new YamlTextReader(new Parser(new Scanner(new StringReader(text), skipComments: true)), limits));
        }
        catch (YamlException e)
        {
            throw new XdsConfigException("", "not YAML: " + Printable.Clip(e.Message), null, (int)e.Start.Line, (int)e.Start.Column, e);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException or OverflowException or IndexOutOfRangeException)
        {
            // The scanner lets these escape for a few malformed escapes and indicators.
            throw new XdsConfigException("", "not YAML: " + Printable.Clip(e.Message), inner: e);
        }
    }

    private ConfigNode ReadDocument()
    {
        parser.Consume<StreamStart>();
        if (!parser.TryConsume<DocumentStart>(out _))
        {
            throw new XdsConfigException("", "the file is empty");
        }
        var root = ReadNode(1, ConfigPath.Empty);
        parser.Consume<DocumentEnd>();
        if (parser.Accept<DocumentStart>(out var second))
        {
            throw Error(second, ConfigPath.Empty, "a second document; keep one document in a file");
        }
        return root;
    }

    private List<ConfigNode> ReadDocuments()
    {
        var documents = new List<ConfigNode>();
        parser.Consume<StreamStart>();
        while (parser.TryConsume<DocumentStart>(out _))
        {
            var root = ReadNode(1, ConfigPath.Empty);
            parser.Consume<DocumentEnd>();
            if (root.Kind != ConfigNodeKind.Null)
            {
                documents.Add(root);
            }
        }
        return documents;
    }

    private ConfigNode ReadNode(int depth, ConfigPath path)
    {
        var at = parser.Take();
        if (at is AnchorAlias || at is NodeEvent { Anchor.IsEmpty: false })
        {
            throw Error(at, path, "anchors and aliases are not read; write the value out");
        }
        if (at is NodeEvent { Tag.IsEmpty: false } node && !(node is Scalar { Tag.IsNonSpecific: true }))
        {
            throw Error(at, path, "tags are not read; remove it (put a value in quotes to make it a string)");
        }
        var (line, column) = ((int)at.Start.Line, (int)at.Start.Column);
        switch (at)
        {
            case Scalar scalar:
                return builder.Create(KindOf(scalar), Canonical(scalar), path, line, column);
            case SequenceStart:
                builder.CheckDepth(depth, path, line, column);
                var list = builder.Create(ConfigNodeKind.List, "", path, line, column);
                while (!parser.Accept<SequenceEnd>(out _))
                {
                    list.Items.Add(ReadNode(depth + 1, path.Item(list.Items.Count)));
                }
                parser.Take();
                return list;
            case MappingStart:
                builder.CheckDepth(depth, path, line, column);
                return ReadMap(depth, path, builder.Create(ConfigNodeKind.Map, "", path, line, column));
            default:
                throw Error(at, path, "a value was expected here");
        }
    }

    private ConfigNode ReadMap(int depth, ConfigPath path, ConfigNode map)
    {
        var names = builder.BeginMap();
        while (!parser.Accept<MappingEnd>(out _))
        {
            var name = parser.Take();
            if (name is not Scalar { Anchor.IsEmpty: true, Tag.IsEmpty: true } key)
            {
                throw Error(name, path, "a key must be a plain name");
            }
            var at = path.Field(key.Value);
            ConfigNodeBuilder.CheckNew(names, key.Value, at, (int)key.Start.Line, (int)key.Start.Column);
            map.Members.Add(new ConfigMember(key.Value, (int)key.Start.Line, (int)key.Start.Column, ReadNode(depth + 1, at)));
        }
        parser.Take();
        builder.EndMap(names);
        return map;
    }

    private static ConfigNodeKind KindOf(Scalar scalar) => scalar.Style != ScalarStyle.Plain
        ? ConfigNodeKind.String
        : scalar.Value switch
        {
            "" or "~" or "null" or "Null" or "NULL" => ConfigNodeKind.Null,
            "true" or "True" or "TRUE" or "false" or "False" or "FALSE" => ConfigNodeKind.Bool,
            _ => LooksLikeNumber(scalar.Value) ? ConfigNodeKind.Number : ConfigNodeKind.String,
        };

    private static string Canonical(Scalar scalar) => KindOf(scalar) switch
    {
        ConfigNodeKind.Bool => scalar.Value[0] is 't' or 'T' ? "true" : "false",
        ConfigNodeKind.Null => "",
        _ => scalar.Value,
    };

    // Also what older YAML reads as a number (0x1F, 010): it must not silently become a string that looks alike.
    private static bool LooksLikeNumber(string text)
    {
        var at = text[0] is '-' or '+' ? 1 : 0;
        if (at == text.Length || text.Length > 64)
        {
            return false;
        }
        if (text[at] == '0' && text.Length > at + 2 && text[at + 1] is 'x' or 'o' or 'b')
        {
            return true;
        }
        var digits = 0;
        var dots = 0;
        for (; at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.'); at++)
        {
            _ = text[at] == '.' ? dots++ : digits++;
        }
        if (digits == 0 || dots > 1)
        {
            return false;
        }
        if (at < text.Length && text[at] is 'e' or 'E')
        {
            at++;
            at += at < text.Length && text[at] is '-' or '+' ? 1 : 0;
            var exponent = at;
            while (at < text.Length && char.IsAsciiDigit(text[at]))
            {
                at++;
            }
            return at == text.Length && at > exponent;
        }
        return at == text.Length;
    }

    private static XdsConfigException Error(ParsingEvent at, ConfigPath path, string reason) =>
        new(path.ToString(), reason, null, (int)at.Start.Line, (int)at.Start.Column);
}
