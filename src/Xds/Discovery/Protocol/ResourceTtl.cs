using System;
using Google.Protobuf.WellKnownTypes;

namespace Postern.Xds.Discovery.Protocol;

/// <summary><c>Resource.ttl</c>.</summary>
internal static class ResourceTtl
{
    private static readonly long MaxSeconds = (long)TimeSpan.FromDays(365).TotalSeconds;

    /// <summary>Null: none, or so long that it is none. False: not a length of time.</summary>
    public static bool TryRead(Duration? ttl, out TimeSpan? result)
    {
        result = null;
        if (ttl is null || ttl.Seconds > MaxSeconds)
        {
            return true;
        }
        if (ttl.Seconds < 0 || ttl.Nanos is < 0 or > 999_999_999 || (ttl.Seconds == 0 && ttl.Nanos == 0))
        {
            return false;
        }
        result = TimeSpan.FromSeconds(ttl.Seconds) + TimeSpan.FromMicroseconds(ttl.Nanos / 1000);
        return true;
    }
}
