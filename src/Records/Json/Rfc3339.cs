using System;

namespace Postern.Records.Json;

/// <summary>
/// Formats nanoseconds since the epoch as <c>2026-01-31T23:59:59.123456789Z</c> (RFC 3339, always nine digits). The part up to the second is
/// kept for the next call: records come many to a second. Owned by one thread.
/// </summary>
internal sealed class Rfc3339
{
    /// <summary>Bytes of one time stamp.</summary>
    public const int Length = 30;

    private const ulong NanosPerSecond = 1_000_000_000;
    private readonly byte[] text = new byte[Length];
    private ulong second = ulong.MaxValue;

    /// <summary>The text; valid until the next call.</summary>
    public ReadOnlySpan<byte> Format(ulong nanos)
    {
        var (seconds, fraction) = Math.DivRem(nanos, NanosPerSecond);
        if (seconds != second)
        {
            // 2^64 ns end in the year 2554, so DateTime covers every value.
            var t = DateTime.UnixEpoch.AddTicks((long)seconds * TimeSpan.TicksPerSecond);
            Digits(0, 4, (uint)t.Year);
            text[4] = (byte)'-';
            Digits(5, 2, (uint)t.Month);
            text[7] = (byte)'-';
            Digits(8, 2, (uint)t.Day);
            text[10] = (byte)'T';
            Digits(11, 2, (uint)t.Hour);
            text[13] = (byte)':';
            Digits(14, 2, (uint)t.Minute);
            text[16] = (byte)':';
            Digits(17, 2, (uint)t.Second);
            text[19] = (byte)'.';
            text[29] = (byte)'Z';
            second = seconds;
        }

        Digits(20, 9, (uint)fraction);
        return text;
    }

    private void Digits(int at, int count, uint value)
    {
        for (var i = at + count - 1; i >= at; i--)
        {
            text[i] = (byte)('0' + (value % 10));
            value /= 10;
        }
    }
}
