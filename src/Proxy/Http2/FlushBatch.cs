using System;
using System.Collections.Generic;

namespace Postern.Proxy.Http2;

/// <summary>
/// What one read brings is worked off on one thread, and all that this makes sessions send goes out behind it: thirty requests that came together
/// leave in one write, to the server as to the client. Per thread; a session asks the batch of its thread before it writes.
/// </summary>
internal sealed class FlushBatch
{
    [ThreadStatic]
    private static FlushBatch? current;

    [ThreadStatic]
    private static FlushBatch? spare;

    private readonly List<Http2Session> sessions = [];

    /// <summary>The batch of this thread, if one is open.</summary>
    public static FlushBatch? Current => current;

    /// <summary>Opens one, or null where one is open: then its opener flushes.</summary>
    public static FlushBatch? Open()
    {
        if (current is not null)
        {
            return null;
        }
        var batch = spare ?? new FlushBatch();
        spare = null;
        current = batch;
        return batch;
    }

    public void Add(Http2Session session)
    {
        if (!sessions.Contains(session))
        {
            sessions.Add(session);
        }
    }

    /// <summary>Sends what was gathered. On the thread that opened it.</summary>
    public void Close()
    {
        while (sessions.Count > 0)
        {
            var session = sessions[^1];
            sessions.RemoveAt(sessions.Count - 1);
            session.Flush(); // may wake senders, whose sessions join the list
        }
        current = null;
        spare = this;
    }
}
