namespace Postern.Policy;

/// <summary>Where an update came from, for its error messages.</summary>
/// <param name="Version">version_info.</param>
/// <param name="Stream">Whether it is the stream's first update.</param>
public readonly record struct UpdateOrigin(string Version, UpdateStream Stream);

/// <summary>Age of an xDS stream.</summary>
public enum UpdateStream
{
    /// <summary>No update was accepted on it yet.</summary>
    New,

    /// <summary>It carried an accepted update before.</summary>
    Old,
}
