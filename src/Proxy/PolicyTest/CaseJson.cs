using System.Collections.Generic;
using System.Text;
using System.Text.Json;

namespace Postern.Proxy.PolicyTest;

/// <summary>Reads fields of a vector with errors that name them.</summary>
internal static class CaseJson
{
    public static JsonElement? Field(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string? Text(JsonElement element, string name) => Field(element, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        _ => throw new CaseFormatException($"'{name}' must be a string"),
    };

    public static uint? Number(JsonElement element, string name, uint max = uint.MaxValue) => Field(element, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number when number.TryGetUInt32(out var value) && value <= max => value,
        _ => throw new CaseFormatException($"'{name}' must be a number from 0 to {max}"),
    };

    public static bool? Flag(JsonElement element, string name) => Field(element, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw new CaseFormatException($"'{name}' must be true or false"),
    };

    public static IEnumerable<JsonElement> Items(JsonElement element, string name) => Field(element, name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => list.EnumerateArray(),
        _ => throw new CaseFormatException($"'{name}' must be a list"),
    };

    /// <summary><c>[["name","value"], …]</c>, also <c>[{"key","value"}, …]</c> or an object.</summary>
    public static List<KeyValuePair<string, string>> Pairs(JsonElement list, string name)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        if (list.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in list.EnumerateObject())
            {
                pairs.Add(KeyValuePair.Create(Wire(member.Name), Wire(member.Value.GetString() ?? "")));
            }
            return pairs;
        }
        if (list.ValueKind != JsonValueKind.Array)
        {
            throw new CaseFormatException($"'{name}' must be a list of [name, value] pairs");
        }
        foreach (var item in list.EnumerateArray())
        {
            var key = item.ValueKind == JsonValueKind.Array && item.GetArrayLength() == 2 ? item[0].GetString()
                : item.ValueKind == JsonValueKind.Object ? Text(item, "key") ?? Text(item, "name") : null;
            var value = item.ValueKind == JsonValueKind.Array && item.GetArrayLength() == 2 ? item[1].GetString() : Text(item, "value");
            if (key is null)
            {
                throw new CaseFormatException($"'{name}' must be a list of [name, value] pairs");
            }
            pairs.Add(KeyValuePair.Create(Wire(key), Wire(value ?? "")));
        }
        return pairs;
    }

    /// <summary>One char per UTF-8 byte, as the engines hold header text.</summary>
    public static string Wire(string text) => Ascii.IsValid(text) ? text : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
}
