using System;
using System.Collections.Generic;
using System.IO;
using Postern.Proxy.Observe;
using Postern.Records;
using Postern.Records.Json;
using Postern.Records.Observe;

namespace Postern.Proxy.Lifecycle;

/// <summary>Builds the record sinks that the command line asked for, and owns them.</summary>
internal sealed class RecordOutputs : IDisposable
{
    private readonly RecordHub hub = new();
    private readonly Dictionary<string, long> reportedLost = new(StringComparer.Ordinal);

    public RecordOutputs(RunOptions options, Action<string> log)
    {
        Sinks = new RecordSinks(hub, log);
        var outputs = new List<ILineOutput>();
        if (options.RecordJson is { } path)
        {
            JsonFile = new FileLineOutput(
                new FileLineOptions { Path = path, MaxFileBytes = (long)options.RecordJsonMaxSizeMb << 20, MaxBackups = options.RecordJsonMaxBackups },
                log);
            outputs.Add(JsonFile);
        }
        if (Observe(options, log) is { } observe)
        {
            outputs.Add(observe);
        }
        if (outputs.Count > 0)
        {
            var headers = Enum.Parse<HeaderDetail>(options.RecordHeaders, ignoreCase: true);
            hub.Add(new JsonLineSink(new JsonRecordEncoder(new JsonRecordOptions { Headers = headers }), outputs.ToArray()));
        }
    }

    public RecordSinks Sinks { get; }

    /// <summary>The records file, to be reopened on SIGHUP.</summary>
    public FileLineOutput? JsonFile { get; }

    /// <summary>What every sink took and lost.</summary>
    public IReadOnlyList<SinkCounters> ReadCounters()
    {
        var counters = new List<SinkCounters>(hub.ReadCounters());
        foreach (var (path, written, dropped) in Sinks.AccessLogLosses())
        {
            counters.Add(new SinkCounters("access_log " + path, written, dropped, 0, 0));
        }
        return counters;
    }

    /// <summary>Says what was dropped since it was last asked, if anything.</summary>
    public void LogLosses(Action<string> log)
    {
        foreach (var counters in hub.ReadCounters())
        {
            LogLoss(log, counters.Sink, counters.Written, counters.Dropped + counters.Faults);
        }
        foreach (var (path, written, dropped) in Sinks.AccessLogLosses())
        {
            LogLoss(log, "access_log " + path, written, dropped);
        }
    }

    private void LogLoss(Action<string> log, string sink, long written, long lost)
    {
        if (lost > reportedLost.GetValueOrDefault(sink))
        {
            reportedLost[sink] = lost;
            log($"records: {sink} has lost {lost} records so far and taken {written}: its output is too slow, full or gone");
        }
    }

    public void Dispose() => Sinks.Dispose();

    // A socket that was asked for must be there; the usual one is a convenience that must not keep a proxy from starting.
    private static ObserveServer? Observe(RunOptions options, Action<string> log)
    {
        if (options.ObserveSocket is { } asked)
        {
            return asked.Length == 0 ? null : new ObserveServer(new ObserveServerOptions { Path = asked }, log);
        }
        var path = ObserveOptions.DefaultSocket;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return new ObserveServer(new ObserveServerOptions { Path = path }, log);
        }
        catch (Exception e) when (e is RecordSinkException or IOException or UnauthorizedAccessException)
        {
            log($"no observe socket: {e.Message}; name another with --observe-socket PATH, or switch it off with --observe-socket \"\"");
            return null;
        }
    }
}
