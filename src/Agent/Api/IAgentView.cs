using System.Collections.Generic;
using Postern.Agent.Runtime;
using Postern.Agent.Serve;
using Postern.Agent.Steer;

namespace Postern.Agent.Api;

/// <summary>What the API reads. From any thread.</summary>
public interface IAgentView
{
    /// <summary>The options.</summary>
    AgentOptions Options { get; }

    /// <summary>The main loop's knowledge.</summary>
    AgentSnapshot Snapshot { get; }

    /// <summary>Streams of the proxy.</summary>
    IReadOnlyList<StreamStatus> Streams { get; }

    /// <summary>The steering as it is now.</summary>
    ISteeringInsight Steering { get; }

    /// <summary>Judges one connection or request against what is compiled.</summary>
    /// <exception cref="TraceException">The question makes no sense; one line.</exception>
    TraceView Trace(TraceQuestion question);
}
