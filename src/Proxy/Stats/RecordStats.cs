using System;
using System.Collections.Generic;
using Postern.Records;

namespace Postern.Proxy.Stats;

/// <summary>Reads what became of visibility records, per sink.</summary>
internal sealed class RecordStats(Func<IReadOnlyList<SinkCounters>> read) : IStatsSource
{
    public void Read(List<StatSample> samples)
    {
        foreach (var sink in read())
        {
            var scope = new ScopeName("postern.records." + sink.Sink, "postern.records", [new StatLabel("sink", sink.Sink)]);
            Add("written", sink.Written);
            Add("dropped", sink.Dropped + sink.Faults);
            Add("bytes", sink.Bytes);

            void Add(string leaf, long value) => samples.Add(new StatSample(StatName.Within(scope, leaf), StatKind.Counter, value, value != 0));
        }
    }
}
