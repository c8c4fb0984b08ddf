using System;
using Postern.Policy;

namespace Postern.Proxy.Http;

/// <summary><c>grpc-timeout</c>: at most eight digits and a unit (gRPC over HTTP/2, "Timeout").</summary>
internal static class GrpcTimeout
{
    private const int MaxDigits = 8;

    /// <summary>The request's, or null: there is none, or it is no such value.</summary>
    public static TimeSpan? Find(IHttpPolicyRequest request)
    {
        for (var i = 0; i < request.Count; i++)
        {
            if (request.NameAt(i).Equals("grpc-timeout", StringComparison.OrdinalIgnoreCase))
            {
                return Parse(request.ValueAt(i));
            }
        }
        return null;
    }

    /// <summary>The value, or null. Less than a tick counts as none at all.</summary>
    public static TimeSpan? Parse(ReadOnlySpan<char> text)
    {
        if (text.Length is < 2 or > MaxDigits + 1)
        {
            return null;
        }
        long number = 0;
        foreach (var digit in text[..^1])
        {
            if (!char.IsAsciiDigit(digit))
            {
                return null;
            }
            number = (number * 10) + (digit - '0');
        }
        return text[^1] switch
        {
            'H' => new TimeSpan(number * TimeSpan.TicksPerHour),
            'M' => new TimeSpan(number * TimeSpan.TicksPerMinute),
            'S' => new TimeSpan(number * TimeSpan.TicksPerSecond),
            'm' => new TimeSpan(number * TimeSpan.TicksPerMillisecond),
            'u' => new TimeSpan(number * TimeSpan.TicksPerMicrosecond),
            'n' => new TimeSpan(number / 100),
            _ => null,
        };
    }
}
