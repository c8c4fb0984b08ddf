using System;
using System.Globalization;
using System.Threading;

namespace Postern.Proxy.Http;

/// <summary>Wall clock for records and the proxy's own answers.</summary>
internal static class Clock
{
    private static string httpDate = "";
    private static long httpDateSecond;

    /// <summary>Nanoseconds since the Unix epoch, in steps of 100.</summary>
    public static ulong UnixNanos() => (ulong)(DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) * 100;

    /// <summary>Now as a <c>Date</c> field says it (RFC 9110 §5.6.7).</summary>
    public static string HttpDate()
    {
        var now = DateTime.UtcNow;
        var second = now.Ticks / TimeSpan.TicksPerSecond;
        if (Interlocked.Exchange(ref httpDateSecond, second) != second)
        {
            Volatile.Write(ref httpDate, now.ToString("R", CultureInfo.InvariantCulture));
        }
        return Volatile.Read(ref httpDate) is { Length: > 0 } text ? text : now.ToString("R", CultureInfo.InvariantCulture);
    }
}
