using System.Text.Json;

namespace Postern.Records.Observe;

/// <summary>What a line on the observe socket is.</summary>
public enum ObserveLineKind
{
    /// <summary>A record.</summary>
    Record,

    /// <summary>The observer was slow and missed <see cref="ObserveLine.Lost"/> records.</summary>
    Lost,

    /// <summary>Everything from here on is live.</summary>
    ReplayEnd,

    /// <summary>The server refuses this observer: <see cref="ObserveLine.Error"/>.</summary>
    Error,

    /// <summary>No JSON object.</summary>
    Malformed,
}

/// <summary>One parsed line.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Record">The record; default for other kinds.</param>
/// <param name="Lost">Records missed.</param>
/// <param name="Error">Why the server refuses.</param>
public readonly record struct ObserveLine(ObserveLineKind Kind, JsonElement Record = default, long Lost = 0, string Error = "")
{
    /// <summary>Parses a line; never throws on bad input.</summary>
    public static ObserveLine Parse(string line)
    {
        JsonElement json;
        try
        {
            json = JsonElement.Parse(line);
        }
        catch (JsonException)
        {
            return new ObserveLine(ObserveLineKind.Malformed);
        }

        if (json.ValueKind != JsonValueKind.Object)
        {
            return new ObserveLine(ObserveLineKind.Malformed);
        }

        if (json.TryGetProperty("lost_records", out var lost) && lost.TryGetInt64(out var count))
        {
            return new ObserveLine(ObserveLineKind.Lost, Lost: count);
        }

        if (json.TryGetProperty("replay_end", out _))
        {
            return new ObserveLine(ObserveLineKind.ReplayEnd);
        }

        return json.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String
            ? new ObserveLine(ObserveLineKind.Error, Error: error.GetString()!)
            : new ObserveLine(ObserveLineKind.Record, json);
    }

    /// <summary>A string member of the record, or empty.</summary>
    public string Text(string member) => TextOf(Record, member);

    internal static string TextOf(JsonElement json, string member) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    internal static long NumberOf(JsonElement json, string member) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : 0;
}
