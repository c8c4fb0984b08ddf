using System;

namespace Postern.Proxy.Http;

/// <summary>Wall clock for records.</summary>
internal static class Clock
{
    /// <summary>Nanoseconds since the Unix epoch, in steps of 100.</summary>
    public static ulong UnixNanos() => (ulong)(DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) * 100;
}
