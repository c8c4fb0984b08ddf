using System.Collections.Generic;
using Postern.Agent.Api;
using Postern.Agent.Serve;
using Postern.Agent.Steer;

namespace Postern.Agent.Runtime;

/// <summary>The running agent as the API sees it.</summary>
internal sealed class AgentView(AgentOptions options, NodeAgent agent, INodeServing serving, ISteeringInsight steering) : IAgentView
{
    public AgentOptions Options => options;

    public AgentSnapshot Snapshot => agent.Snapshot;

    public IReadOnlyList<StreamStatus> Streams => serving.ReadStreams();

    public ISteeringInsight Steering => steering;

    public TraceView Trace(TraceQuestion question) => Tracer.Trace(agent.Snapshot.Node, question);
}
