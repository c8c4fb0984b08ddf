using System;
using System.Collections.Concurrent;
using System.Threading;

namespace Postern.Proxy.Listeners;

/// <summary>All open connections of one listener generation: counted, swept for deadlines, drained together.</summary>
internal sealed class ConnectionRegistry(Admission admission)
{
    private readonly ConcurrentDictionary<ITrackedConnection, byte> connections = new();
    private volatile bool draining;

    /// <summary>Tracked connections.</summary>
    public bool IsEmpty => connections.IsEmpty;

    /// <summary>The process's limit; whoever ends a connection leaves it.</summary>
    public Admission Admission { get; } = admission;

    /// <summary>Adds one; a connection that comes while the listener drains is told at once.</summary>
    public void Add(ITrackedConnection connection)
    {
        connections[connection] = 0;
        if (draining)
        {
            connection.BeginDrain();
        }
    }

    public void Remove(ITrackedConnection connection) => connections.TryRemove(connection, out _);

    public void Sweep(long now)
    {
        foreach (var (connection, _) in connections)
        {
            connection.Sweep(now);
        }
    }

    public void BeginDrain()
    {
        draining = true;
        foreach (var (connection, _) in connections)
        {
            connection.BeginDrain();
        }
    }

    public void AbortAll()
    {
        foreach (var (connection, _) in connections)
        {
            connection.AbortNow();
        }
    }
}
