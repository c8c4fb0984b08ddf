using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Postern.Records;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>Keeps what was recorded.</summary>
internal sealed class RecordList : IRecordSink
{
    private readonly Lock gate = new();
    private readonly List<SeenRecord> seen = [];

    public string Name => "list";

    /// <summary>Called with each record before it is listed.</summary>
    public Action<VisibilityRecord>? Also { get; init; }

    public long Dropped => 0;

    public IReadOnlyList<SeenRecord> Seen
    {
        get
        {
            lock (gate)
            {
                return seen.ToArray();
            }
        }
    }

    public void Write(VisibilityRecord record)
    {
        var copy = SeenRecord.Of(record);
        Also?.Invoke(record);
        lock (gate)
        {
            seen.Add(copy);
        }
    }

    public override string ToString() => string.Join("\n", Seen.Select(r => "  " + r));
}
