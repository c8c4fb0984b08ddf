using System;

namespace Postern.Records.Observe;

/// <summary>Where observers connect, and what is kept for them.</summary>
public sealed record ObserveServerOptions
{
    /// <summary>Path of the unix stream socket.</summary>
    public required string Path { get; init; }

    /// <summary>Records shown to an observer that has just connected; 0 = none, and then nothing is serialised while nobody observes.</summary>
    public int ReplayRecords { get; init; } = 256;

    /// <summary>Records held for observers that are behind, the replay included.</summary>
    public int MaxRecords { get; init; } = 4096;

    /// <summary>Bytes held for them.</summary>
    public int MaxBytes { get; init; } = 2 << 20;

    /// <summary>Observers at a time; one more is told so and disconnected.</summary>
    public int MaxObservers { get; init; } = 16;

    /// <summary>How often waiting records are sent.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(25);
}
