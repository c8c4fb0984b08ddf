using System;
using System.Globalization;

namespace Postern.Proxy.Cli;

/// <summary>A time span on the command line: a whole number and <c>s</c>, <c>m</c> or <c>h</c>; 0 needs no unit.</summary>
internal static class Age
{
    /// <summary>Null when it is none.</summary>
    public static TimeSpan? TryParse(string text)
    {
        if (text == "0")
        {
            return TimeSpan.Zero;
        }
        if (text.Length < 2 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            _ => null,
        };
    }
}
