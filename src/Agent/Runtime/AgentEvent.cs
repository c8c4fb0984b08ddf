using Postern.Agent.Supervise;

namespace Postern.Agent.Runtime;

/// <summary>What the main loop hears.</summary>
internal abstract record AgentEvent
{
    private AgentEvent()
    {
    }

    /// <summary>Files may have changed.</summary>
    public sealed record FolderChanged : AgentEvent;

    /// <summary>The proxy came, went or failed.</summary>
    public sealed record ProxyChanged(ProxyStatus Status) : AgentEvent;

    /// <summary>The proxy had its say about a revision, or did not in time; null when the revision went out of date meanwhile.</summary>
    public sealed record RolloutEnded(ServedNode? Served) : AgentEvent;

    /// <summary>Time to try again what failed.</summary>
    public sealed record Retry : AgentEvent;
}
