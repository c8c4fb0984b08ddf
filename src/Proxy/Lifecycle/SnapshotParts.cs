using System;
using Postern.Proxy.Overload;
using Postern.Proxy.Stats;
using Postern.Records;

namespace Postern.Proxy.Lifecycle;

/// <summary>What snapshots are made with besides their configuration.</summary>
/// <param name="Sinks">By access_log_path.</param>
/// <param name="Stats">Counters live there.</param>
/// <param name="IsOnlyDatapath">See <see cref="Filters.Listener.BpfMetadata.IsOnlyDatapath"/>.</param>
internal sealed record SnapshotParts(Func<string, IRecordSink> Sinks, StatsRegistry Stats, bool IsOnlyDatapath)
{
    /// <summary>What the process sheds.</summary>
    public OverloadState Overload { get; init; } = OverloadState.Never;
}
