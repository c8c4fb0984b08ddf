using System;
using System.Collections.Generic;
using Postern.Records;
using Postern.Records.Json;
using Postern.Records.Observe;

namespace Postern.Proxy.Lifecycle;

/// <summary>Builds the record sinks that the command line asked for, and owns them.</summary>
internal sealed class RecordOutputs : IDisposable
{
    private readonly RecordHub hub = new();

    public RecordOutputs(RunOptions options, Action<string> log)
    {
        Sinks = new RecordSinks(hub, log);
        var outputs = new List<ILineOutput>();
        if (options.RecordJson is { } path)
        {
            File = new FileLineOutput(
                new FileLineOptions { Path = path, MaxFileBytes = (long)options.RecordJsonMaxSizeMb << 20, MaxBackups = options.RecordJsonMaxBackups },
                log);
            outputs.Add(File);
        }
        if (options.ObserveSocket.Length > 0)
        {
            outputs.Add(new ObserveServer(new ObserveServerOptions { Path = options.ObserveSocket }, log));
        }
        if (outputs.Count > 0)
        {
            var headers = Enum.Parse<HeaderDetail>(options.RecordHeaders, ignoreCase: true);
            hub.Add(new JsonLineSink(new JsonRecordEncoder(new JsonRecordOptions { Headers = headers }), outputs.ToArray()));
        }
    }

    public RecordSinks Sinks { get; }

    /// <summary>The records file, to be reopened on SIGHUP.</summary>
    public FileLineOutput? File { get; }

    /// <summary>Says what was dropped, if anything.</summary>
    public void LogLosses(Action<string> log)
    {
        foreach (var counters in hub.ReadCounters())
        {
            if (counters.Dropped > 0 || counters.Faults > 0)
            {
                log($"records: sink {counters.Sink} wrote {counters.Written}, dropped {counters.Dropped}, failed {counters.Faults}");
            }
        }
    }

    public void Dispose() => Sinks.Dispose();
}
