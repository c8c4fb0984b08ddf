using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.Json;

namespace Postern.Tproxy.Diagnosis;

/// <summary>Reads what <c>ip -N -j</c> prints. Pure.</summary>
internal static class IpJson
{
    // What a rule may hold without being about some packets only.
    private static readonly HashSet<string> Broad = new(StringComparer.Ordinal) { "priority", "src", "fwmark", "fwmask", "table", "protocol", "suppress_prefixlen", "flags" };

    internal static List<LinkFacts> Links(string json) => Each(json, static link => new LinkFacts(
        link.GetProperty("ifindex").GetInt32(),
        Text(link, "ifname"),
        link.TryGetProperty("linkinfo", out var info) ? Text(info, "info_kind") : string.Empty,
        link.TryGetProperty("master", out var master) ? master.ToString() : null,
        Has(link, "flags", "UP"),
        link.GetProperty("mtu").GetInt32(),
        Has(link, "flags", "LOOPBACK")));

    internal static List<RuleFacts> Rules(string json) => Each(json, static rule =>
    {
        var isNarrow = Text(rule, "src") is not ("all" or "");
        foreach (var property in rule.EnumerateObject())
        {
            isNarrow |= !Broad.Contains(property.Name);
        }

        var mark = Number(Text(rule, "fwmark"));
        return new RuleFacts(rule.GetProperty("priority").GetInt64(), mark, Number(Text(rule, "fwmask")) ?? uint.MaxValue, isNarrow, Text(rule, "table"), rule.GetRawText());
    });

    internal static List<RouteFacts> Routes(string json) => Each(json, static route => new RouteFacts(
        Text(route, "type") is { Length: > 0 } type ? type : "1",
        Text(route, "dst"),
        Text(route, "dev")));

    /// <summary>The first line of <c>route get</c>.</summary>
    internal static RouteAnswer Answer(string json) => Each(json, static route => new RouteAnswer(
        Text(route, "dev"),
        Text(route, "type") is { Length: > 0 } type ? type : "1",
        Text(route, "table") is { Length: > 0 } table ? table : "254",
        null)) is [var first, ..] ? first : throw new FormatException("no route in the answer");

    /// <exception cref="FormatException">It is something else.</exception>
    private static List<T> Each<T>(string json, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(string.IsNullOrWhiteSpace(json) ? "[]" : json);
            var all = new List<T>();
            foreach (var element in document.RootElement.EnumerateArray())
            {
                // iproute2 prints an empty object for what a filter left out.
                if (element.EnumerateObject().MoveNext())
                {
                    all.Add(read(element));
                }
            }

            return all;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException("'ip -j' did not answer as expected; iproute2 4.16 or newer is needed", error);
        }
    }

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.ToString() : string.Empty;

    private static bool Has(JsonElement element, string name, string word)
    {
        foreach (var value in element.GetProperty(name).EnumerateArray())
        {
            if (value.ValueEquals(word))
            {
                return true;
            }
        }

        return false;
    }

    private static uint? Number(string text) => text switch
    {
        "" => null,
        _ when text.StartsWith("0x", StringComparison.Ordinal) => uint.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) ? hex : null,
        _ => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null,
    };
}
