using System;
using System.Globalization;
using System.Text.Json;

namespace Postern.Proxy.Admin;

/// <summary>Times and durations as protobuf's JSON form has them.</summary>
internal static class JsonTimes
{
    /// <summary><c>2026-01-02T03:04:05.006Z</c>.</summary>
    public static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary><c>12s</c>, whole seconds.</summary>
    public static string Seconds(TimeSpan span) => ((long)Math.Max(span.TotalSeconds, 0)).ToString(CultureInfo.InvariantCulture) + "s";

    /// <summary>A time under that name; nothing when there is none.</summary>
    public static void WriteTime(this Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        if (time is { } known)
        {
            json.WriteString(name, Text(known));
        }
    }
}
