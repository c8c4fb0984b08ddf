using System.Collections.Generic;
using Postern.Agent.Api;
using Postern.Agent.Runtime;
using Postern.Agent.Serve;

namespace Postern.Tests.Agent.Api;

/// <summary>An agent that knows one node and does nothing.</summary>
internal sealed class FakeAgent : IAgentView
{
    public AgentOptions Options { get; } = new() { Folder = "/etc/postern-agent" };

    public AgentSnapshot Snapshot { get; set; } = new() { Node = Texts.Compile([.. Texts.Pods, Texts.ForWeb("ingress:\n- fromEndpoints:\n  - matchLabels: {role: client}")]), HasNode = true, Revision = 3 };

    public IReadOnlyList<StreamStatus> Streams => [];

    public TraceView Trace(TraceQuestion question) => Tracer.Trace(Snapshot.Node, question);
}
