using System;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Xds.Text;

internal static partial class ProtoJson
{
    // The range of google.protobuf.Duration: 10,000 years.
    private const long MaxDurationSeconds = 315_576_000_000;

    private static object ReadScalar(FieldDescriptor field, ConfigNode node, ConfigPath path)
    {
        switch (field.FieldType)
        {
            case FieldType.String:
                return ReadString(node, path);
            case FieldType.Bool:
                return node is { Kind: ConfigNodeKind.Bool, Text: "true" or "false" }
                    ? node.Text == "true"
                    : throw path.Error($"expected true or false, found {Found(node)}");
            case FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32:
                return (int)ReadInteger(node, int.MinValue, int.MaxValue, path);
            case FieldType.UInt32 or FieldType.Fixed32:
                return (uint)ReadInteger(node, 0, uint.MaxValue, path);
            case FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64:
                return (long)ReadInteger(node, long.MinValue, long.MaxValue, path);
            case FieldType.UInt64 or FieldType.Fixed64:
                return (ulong)ReadInteger(node, 0, ulong.MaxValue, path);
            case FieldType.Double:
                return ReadDouble(node, path);
            case FieldType.Float:
                var value = ReadDouble(node, path);
                return double.IsFinite(value) && Math.Abs(value) > float.MaxValue ? throw path.Error("out of the range of a float") : (float)value;
            case FieldType.Bytes:
                return ReadBytes(node, path);
            case FieldType.Enum:
                return ReadEnum(field.EnumType, node, path);
            default:
                throw path.Error($"fields of kind {field.FieldType} are not supported here");
        }
    }

    private static string ReadString(ConfigNode node, ConfigPath path)
    {
        if (node.Kind != ConfigNodeKind.String)
        {
            // The text itself is not repeated: string fields hold keys and tokens too.
            var kind = node.Kind switch
            {
                ConfigNodeKind.Number => "a number; put it in quotes",
                ConfigNodeKind.Bool => "a boolean; put it in quotes",
                _ => node.Describe(),
            };
            throw path.Error("expected a string, found " + kind);
        }
        return node.Text;
    }

    private static string Found(ConfigNode node) => node.Kind == ConfigNodeKind.String ? "the string " + Printable.Quote(node.Text) : node.Describe();

    // decimal holds every 64-bit integer exactly, and reads the 1.0 and 1e3 that the mapping allows for integers.
    private static decimal ReadInteger(ConfigNode node, decimal min, decimal max, ConfigPath path)
    {
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (node.Kind is not (ConfigNodeKind.Number or ConfigNodeKind.String)
            || !LooksLikeJsonNumber(node.Text)
            || !decimal.TryParse(node.Text, Style, CultureInfo.InvariantCulture, out var value)
            || value != decimal.Truncate(value))
        {
            throw path.Error($"expected a whole number, found {Found(node)}");
        }
        return value >= min && value <= max ? value : throw path.Error($"{Printable.Clip(node.Text)} is not within {min} to {max}");
    }

    // The grammar of RFC 8259 section 6. A leading zero is octal to some YAML readers and decimal to others; a sign "+", "1." and
    // hexadecimal are not in the mapping at all.
    private static bool LooksLikeJsonNumber(string text)
    {
        if (text.Length > 64)
        {
            return false;
        }
        var at = text.StartsWith('-') ? 1 : 0;
        var whole = Digits(text, ref at);
        if (whole == 0 || (whole > 1 && text[at - whole] == '0'))
        {
            return false;
        }
        if (at < text.Length && text[at] == '.')
        {
            at++;
            if (Digits(text, ref at) == 0)
            {
                return false;
            }
        }
        if (at < text.Length && text[at] is 'e' or 'E')
        {
            at++;
            at += at < text.Length && text[at] is '-' or '+' ? 1 : 0;
            if (Digits(text, ref at) == 0)
            {
                return false;
            }
        }
        return at == text.Length;
    }

    private static int Digits(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }
        return at - start;
    }

    private static double ReadDouble(ConfigNode node, ConfigPath path)
    {
        if (node.Kind == ConfigNodeKind.String)
        {
            switch (node.Text)
            {
                case "NaN":
                    return double.NaN;
                case "Infinity":
                    return double.PositiveInfinity;
                case "-Infinity":
                    return double.NegativeInfinity;
            }
        }
        if (node.Kind is not (ConfigNodeKind.Number or ConfigNodeKind.String)
            || !LooksLikeJsonNumber(node.Text)
            || !double.TryParse(node.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            || !double.IsFinite(value))
        {
            throw path.Error($"expected a number, found {Found(node)}");
        }
        return value;
    }

    private static ByteString ReadBytes(ConfigNode node, ConfigPath path)
    {
        if (node.Kind == ConfigNodeKind.String)
        {
            // Both alphabets, with or without padding.
            var text = node.Text.Replace('-', '+').Replace('_', '/').TrimEnd('=');
            var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
            var bytes = new byte[padded.Length / 4 * 3];
            if (Convert.TryFromBase64String(padded, bytes, out var length))
            {
                return ByteString.CopyFrom(bytes, 0, length);
            }
        }
        throw path.Error("expected base64 text");
    }

    private static int ReadEnum(EnumDescriptor type, ConfigNode node, ConfigPath path)
    {
        var value = node.Kind == ConfigNodeKind.String ? type.FindValueByName(node.Text) : null;
        if (value is null && node.Kind == ConfigNodeKind.Number
            && int.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            value = type.FindValueByNumber(number);
        }
        if (value is null)
        {
            var names = new System.Collections.Generic.List<string>();
            foreach (var known in type.Values)
            {
                names.Add(known.Name);
            }
            throw path.Error($"expected one of {string.Join(", ", names)} ({type.FullName}), found {Found(node)}");
        }
        return value.Number;
    }

    private static Duration ReadDuration(ConfigNode node, ConfigPath path)
    {
        var text = node.Text;
        if (node.Kind != ConfigNodeKind.String || text.Length is < 2 or > 32 || text[^1] != 's')
        {
            throw path.Error($"expected a duration like \"1.5s\", found {Found(node)}");
        }
        var negative = text[0] == '-';
        var body = text.AsSpan(negative ? 1 : 0);
        body = body[..^1];
        var dot = body.IndexOf('.');
        var whole = dot < 0 ? body : body[..dot];
        var fraction = dot < 0 ? [] : body[(dot + 1)..];
        if (!long.TryParse(whole, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds > MaxDurationSeconds
            || fraction.Length > 9 || (dot >= 0 && fraction.Length == 0))
        {
            throw path.Error($"expected a duration like \"1.5s\", found {Found(node)}");
        }
        var nanos = 0;
        if (fraction.Length > 0 && !int.TryParse(fraction, NumberStyles.None, CultureInfo.InvariantCulture, out nanos))
        {
            throw path.Error($"expected a duration like \"1.5s\", found {Found(node)}");
        }
        for (var i = fraction.Length; i < 9; i++)
        {
            nanos *= 10;
        }
        return new Duration { Seconds = negative ? -seconds : seconds, Nanos = negative ? -nanos : nanos };
    }
}
