using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Postern.Records.Observe;

/// <summary>
/// A record as one row of text for people. Paths and headers come from strangers: characters that could steer a terminal or turn the order of
/// text around are shown as <c>\xNN</c> or <c>\uNNNN</c>.
/// </summary>
public static class ObserveTable
{
    private const int MaxCellChars = 300; // a row stays a row

    /// <summary>The head line.</summary>
    public static string Header => Columns("TIME", "DIRECTION", "VERDICT", "SOURCE (IDENTITY) → DESTINATION (IDENTITY)", "SUMMARY");

    /// <summary>The row of a record.</summary>
    public static string Row(ObserveLine line)
    {
        var json = line.Record;
        var flow = $"{Side(json, "source")} → {Side(json, "destination")}";
        return Columns(Time(line.Text("time")), Clean(line.Text("traffic_direction")), Verdict(line), flow, Summary(line));
    }

    /// <summary>The row that tells of lost records.</summary>
    public static string LostRow(long lost) =>
        $"-- {lost.ToString(CultureInfo.InvariantCulture)} records lost: this observer was slower than the traffic; --denied shows less --";

    /// <summary>The verdict in capitals, as the row shows it.</summary>
    public static string Verdict(ObserveLine line) => Clean(line.Text("verdict")).ToUpperInvariant();

    /// <summary>Text without any character that does more than stand there.</summary>
    public static string Clean(string text)
    {
        StringBuilder? clean = null;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (i >= MaxCellChars)
            {
                return $"{clean?.ToString() ?? text[..i]}…";
            }

            if (IsHarmless(c))
            {
                clean?.Append(c);
                continue;
            }

            clean ??= new StringBuilder(text, 0, i, text.Length + 16);
            clean.Append(c < 256 ? "\\x" : "\\u").Append(((int)c).ToString(c < 256 ? "x2" : "x4", CultureInfo.InvariantCulture));
        }

        return clean?.ToString() ?? text;
    }

    // Controls (C0, DEL, C1), format characters (bidi overrides, zero width), separators, and halves of surrogate pairs are not.
    private static bool IsHarmless(char c) => c is >= ' ' and <= '~' || char.GetUnicodeCategory(c) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);

    private static string Columns(string time, string direction, string verdict, string flow, string summary) =>
        $"{time,-15} {direction,-9} {verdict,-9} {flow,-58} {summary}";

    // 2026-01-31T23:59:59.123456789Z → 23:59:59.123456
    private static string Time(string time) => Clean(time.Length == 30 ? time[11..26] : time);

    private static string Side(JsonElement json, string side) =>
        $"{Clean(ObserveLine.TextOf(json, side + "_address"))} ({ObserveLine.NumberOf(json, side + "_security_id").ToString(CultureInfo.InvariantCulture)})";

    private static string Summary(ObserveLine line)
    {
        var text = new StringBuilder();
        if (line.Record.TryGetProperty("http", out var http))
        {
            text.Append(Clean(ObserveLine.TextOf(http, "protocol"))).Append(' ').Append(Clean(ObserveLine.TextOf(http, "method"))).Append(' ')
                .Append(Clean(ObserveLine.TextOf(http, "scheme"))).Append("://").Append(Clean(ObserveLine.TextOf(http, "host")))
                .Append(Clean(ObserveLine.TextOf(http, "path")));
            if (ObserveLine.NumberOf(http, "status") is var status and not 0)
            {
                text.Append(CultureInfo.InvariantCulture, $" → {status}");
            }
        }
        else
        {
            text.Append("connection");
            if (line.Text("sni") is { Length: > 0 } sni)
            {
                text.Append(" to ").Append(Clean(sni));
            }
        }

        if (line.Text("reason") is { Length: > 0 } reason and not RecordVerdict.AllowedReason)
        {
            text.Append(" (").Append(Clean(reason));
            if (line.Text("detail") is { Length: > 0 } detail)
            {
                text.Append(": ").Append(Clean(detail));
            }

            text.Append(')');
        }

        if (ObserveLine.NumberOf(line.Record, "latency_us") is var micros and not 0)
        {
            text.Append(CultureInfo.InvariantCulture, $" in {micros / 1000.0:0.0##} ms");
        }

        return text.ToString();
    }
}
