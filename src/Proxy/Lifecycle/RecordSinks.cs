using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using Postern.Records;
using Postern.Records.AccessLog;

namespace Postern.Proxy.Lifecycle;

/// <summary>The sinks of the process: what every record goes to (JSON lines, observers), and the access-log sockets that single filters name.</summary>
internal sealed class RecordSinks(RecordHub hub, Action<string> log) : IDisposable
{
    private readonly AccessLogSockets sockets = new(new AccessLogOptions(), log);
    private readonly ConcurrentDictionary<string, IRecordSink> byPath = new(StringComparer.Ordinal);
    private readonly HubSink plain = new(hub, null);

    /// <summary>The sink of a filter with that <c>access_log_path</c>; empty for none.</summary>
    public IRecordSink For(string accessLogPath) =>
        accessLogPath.Length == 0 ? plain : byPath.GetOrAdd(accessLogPath, path => new HubSink(hub, sockets.Get(path)));

    /// <summary>Name and losses of every access-log socket in use.</summary>
    public IEnumerable<(string Path, long Written, long Dropped)> AccessLogLosses()
    {
        foreach (var (path, sink) in byPath)
        {
            yield return (path, sink.Written, sink.Dropped);
        }
    }

    public void Dispose()
    {
        sockets.Dispose();
        hub.Dispose();
    }

    private sealed class HubSink(RecordHub hub, AccessLogSocketSink? socket) : IRecordSink
    {
        public string Name => "hub";

        public long Written => socket?.Written ?? 0;

        public long Dropped => socket?.Dropped ?? 0;

        public long Bytes => socket?.Bytes ?? 0;

        public void Write(VisibilityRecord record)
        {
            hub.Publish(record);
            socket?.Write(record);
        }
    }
}
