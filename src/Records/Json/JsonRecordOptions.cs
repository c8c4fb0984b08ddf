using System;
using System.Collections.Generic;

namespace Postern.Records.Json;

/// <summary>What a JSON record shows.</summary>
public sealed record JsonRecordOptions
{
    /// <summary>Smallest accepted <see cref="MaxRecordBytes"/>: the fixed members need this much room.</summary>
    public const int MinRecordBytes = 4096;

    /// <summary>Largest accepted <see cref="MaxRecordBytes"/>.</summary>
    public const int LargestRecordBytes = 64 * 1024;

    /// <summary>How much of the headers is shown.</summary>
    public HeaderDetail Headers { get; init; } = HeaderDetail.All;

    /// <summary>Header names whose values are replaced by <c>[redacted]</c>.</summary>
    public IReadOnlyCollection<string> RedactedHeaders { get; init; } = HeaderRedaction.DefaultNames;

    /// <summary>
    /// Bound of one line in bytes. A string member gets a fixed share of it and ends in <c>[truncated]</c> when it is longer;
    /// headers beyond the rest are left out and counted in <c>headers_left_out</c>.
    /// </summary>
    public int MaxRecordBytes { get; init; } = 16 * 1024;

    internal void Validate()
    {
        if (MaxRecordBytes is < MinRecordBytes or > LargestRecordBytes)
        {
            throw new ArgumentException($"MaxRecordBytes is {MaxRecordBytes}, accepted is {MinRecordBytes} to {LargestRecordBytes}");
        }
    }
}
