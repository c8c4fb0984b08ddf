using System;
using System.Collections.Generic;
using System.Threading;

namespace Postern.Records.AccessLog;

/// <summary>The access-log clients of the process, one per path: filters of several listeners that name the same path share a connection, as upstream.</summary>
public sealed class AccessLogSockets(AccessLogOptions options, Action<string> log) : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, AccessLogSocketSink> sinks = new(StringComparer.Ordinal);

    /// <summary>The client for that path; made when first asked for, kept until <see cref="Dispose"/>.</summary>
    public AccessLogSocketSink Get(string path)
    {
        lock (gate)
        {
            if (!sinks.TryGetValue(path, out var sink))
            {
                sink = new AccessLogSocketSink(path, options, log);
                sinks.Add(path, sink);
            }

            return sink;
        }
    }

    /// <summary>Closes all of them.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var sink in sinks.Values)
            {
                sink.Dispose();
            }

            sinks.Clear();
        }
    }
}
