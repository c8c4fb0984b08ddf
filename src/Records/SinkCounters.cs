namespace Postern.Records;

/// <summary>What one sink did so far. All values only grow.</summary>
/// <param name="Sink">The sink's name.</param>
/// <param name="Written">Records handed over.</param>
/// <param name="Dropped">Records lost: queue full, peer gone.</param>
/// <param name="Bytes">Serialised bytes handed over.</param>
/// <param name="Faults">Exceptions the hub caught from the sink: a bug in the sink, the record is lost there.</param>
public readonly record struct SinkCounters(string Sink, long Written, long Dropped, long Bytes, long Faults);
