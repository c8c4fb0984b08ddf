using System;
using System.Collections.Generic;

namespace Postern.Agent.Supervise;

/// <summary>The proxy as the supervisor sees it. Immutable.</summary>
public sealed record ProxyStatus
{
    /// <summary>Where it is in its life.</summary>
    public ProxyState State { get; init; } = ProxyState.NotStarted;

    /// <summary>Process id, or null.</summary>
    public int? Pid { get; init; }

    /// <summary>Since when it runs, or null.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Whether an earlier agent launched it.</summary>
    public bool Adopted { get; init; }

    /// <summary>Launches after the first.</summary>
    public int Restarts { get; init; }

    /// <summary>How the last one ended, or empty.</summary>
    public string LastExit { get; init; } = string.Empty;

    /// <summary>When, or null.</summary>
    public DateTimeOffset? LastExitAt { get; init; }

    /// <summary>After several early ends: the proxy's last lines.</summary>
    public IReadOnlyList<string> LastLines { get; init; } = [];
}

/// <summary>States of the proxy.</summary>
public enum ProxyState
{
    /// <summary>Before the first launch.</summary>
    NotStarted,

    /// <summary>The process lives.</summary>
    Running,

    /// <summary>It ended; the next launch waits for its time.</summary>
    Down,

    /// <summary>It was asked to end.</summary>
    Stopping,

    /// <summary>It ended as asked.</summary>
    Stopped,
}
