using System;

namespace Postern.Records.Json;

/// <summary>Where lines go and how much is kept.</summary>
public sealed record FileLineOptions
{
    /// <summary>The <see cref="Path"/> that means standard output.</summary>
    public const string StandardOutput = "-";

    /// <summary>File path, or <c>-</c> for standard output. A pipe or device works too, without rotation.</summary>
    public string Path { get; init; } = StandardOutput;

    /// <summary>The file is rotated before it grows beyond this many bytes; 0 = never.</summary>
    public long MaxFileBytes { get; init; }

    /// <summary>Rotated files kept: <c>path.1</c> (newest) to <c>path.N</c>; 0 = the full file is deleted.</summary>
    public int MaxBackups { get; init; } = 3;

    /// <summary>Bytes that may wait for the disk; twice this is allocated.</summary>
    public int QueueBytes { get; init; } = 1 << 20;

    /// <summary>How long a line may wait before it is written.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long <c>Dispose</c> may take to write what is waiting.</summary>
    public TimeSpan DisposeTimeout { get; init; } = TimeSpan.FromSeconds(2);
}
