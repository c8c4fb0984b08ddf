using System;
using System.Collections.Generic;

namespace Postern.Xds.Discovery.Protocol;

/// <summary>
/// State of one subscription, owned by its multiplexer: the names that have no answer yet, and since when they could have one. Time without a
/// stream does not count (gRFC A57), so an outage is not taken for an absence.
/// </summary>
internal sealed class FetchDeadlines
{
    private readonly TimeSpan? timeout;
    private readonly HashSet<string> pending;
    private DateTimeOffset? deadline;

    /// <param name="names">Those waited for; <c>*</c> is any answer.</param>
    /// <param name="timeout">Null: wait for ever.</param>
    public FetchDeadlines(IEnumerable<string> names, TimeSpan? timeout)
    {
        this.timeout = timeout;
        pending = new HashSet<string>(timeout is null ? [] : names, StringComparer.Ordinal);
    }

    /// <summary>When the wait is over, or null.</summary>
    public DateTimeOffset? Next => pending.Count > 0 ? deadline : null;

    /// <summary>The request is out.</summary>
    public void OnAsked(DateTimeOffset now) => deadline ??= now + timeout;

    public void OnDisconnected() => deadline = null;

    public void OnAnswered(string name) => pending.Remove(name);

    /// <summary>Names whose time is over, once; empty when it is not.</summary>
    public IReadOnlyList<string> TakeExpired(DateTimeOffset now)
    {
        if (Next is not { } at || at > now)
        {
            return [];
        }
        string[] names = [.. pending];
        pending.Clear();
        return names;
    }
}
