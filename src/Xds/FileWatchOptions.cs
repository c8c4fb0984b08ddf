using System;

namespace Postern.Xds;

/// <summary>Times of a <see cref="FileWatch"/>.</summary>
/// <param name="Quiet">How long nothing may happen before a change is reported: writers write in pieces.</param>
/// <param name="MaxDelay">A change is reported after this time even if writing goes on.</param>
/// <param name="Poll">How often the file is looked at when the kernel says nothing (network file systems, exhausted inotify).</param>
/// <param name="UseNotifications">False polls only.</param>
public sealed record FileWatchOptions(TimeSpan Quiet, TimeSpan MaxDelay, TimeSpan Poll, bool UseNotifications = true)
{
    /// <summary>50 ms, 1 s, 5 s.</summary>
    public static readonly FileWatchOptions Default = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
}
