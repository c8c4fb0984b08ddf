namespace Postern.Proxy.Stats;

/// <summary>Counts the pauses of reading one side.</summary>
/// <param name="Paused">The other side took no more.</param>
/// <param name="Resumed">It does again.</param>
internal sealed record FlowCounters(Counter Paused, Counter Resumed);
