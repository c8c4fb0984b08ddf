using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Net;
using System.Threading;
using Postern.Proxy.Stats;

namespace Postern.Proxy.Listeners;

/// <summary>All open connections of one listener generation: counted, swept for deadlines, drained together.</summary>
internal sealed class ConnectionRegistry(Admission admission, ListenerStats? stats = null)
{
    private readonly ConcurrentDictionary<ITrackedConnection, byte> connections = new();
    private readonly Lock gate = new();
    private volatile bool draining;
    private bool retired;

    /// <summary>Tracked connections.</summary>
    public bool IsEmpty => connections.IsEmpty;

    /// <summary>The process's limit.</summary>
    public Admission Admission { get; } = admission;

    /// <summary>Of the listener.</summary>
    public ListenerStats Stats { get; } = stats ?? ListenerStats.Unlisted();

    /// <summary>A connection that was admitted has ended. Once for each.</summary>
    /// <param name="source">Who had made it, as it was admitted (<see cref="EarlyConnection.Source"/>).</param>
    public void Leave(IPAddress? source)
    {
        Admission.Leave(source);
        Stats.OnConnectionEnd();
    }

    /// <summary>Adds a connection that was just accepted; false when nobody looks after this registry any more.</summary>
    public bool TryAccept(ITrackedConnection connection)
    {
        lock (gate)
        {
            if (retired)
            {
                return false;
            }
            connections[connection] = 0;
        }
        if (draining)
        {
            connection.BeginDrain();
        }
        return true;
    }

    /// <summary>Closes the registry for good if it is empty; from then on it needs no sweeping.</summary>
    public bool TryRetire()
    {
        lock (gate)
        {
            return retired |= connections.IsEmpty;
        }
    }

    /// <summary>
    /// Adds what an accepted connection has become, before that one is removed; a connection that comes while the listener drains is told at once. What
    /// policy has come to forbid since it was judged is closed here: a review that began before may have missed it.
    /// </summary>
    public void Add(ITrackedConnection connection)
    {
        connections[connection] = 0;
        Interlocked.MemoryBarrier(); // a review sees the connection, or this sees the policy it is for
        if (draining)
        {
            connection.BeginDrain();
        }
        connection.Verdict?.Review(connection);
    }

    public void Remove(ITrackedConnection connection) => connections.TryRemove(connection, out _);

    /// <summary>Those of now; others may come and go meanwhile.</summary>
    public IEnumerable<ITrackedConnection> Open()
    {
        foreach (var (connection, _) in connections)
        {
            yield return connection;
        }
    }

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
