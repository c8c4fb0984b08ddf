using System.Collections.Generic;
using Postern.Agent.Api;
using Postern.Agent.Runtime;
using Postern.Agent.Serve;
using Postern.Agent.Steer;
using Postern.Tproxy.Bpf;

namespace Postern.Tests.Agent.Api;

/// <summary>An agent that knows one node and does nothing.</summary>
internal sealed class FakeAgent : IAgentView
{
    public AgentOptions Options { get; } = new() { Folder = "/etc/postern-agent" };

    public AgentSnapshot Snapshot { get; set; } = new() { Node = Texts.Compile([.. Texts.Pods, Texts.ForWeb("ingress:\n- fromEndpoints:\n  - matchLabels: {role: client}")]), HasNode = true, Revision = 3 };

    public IReadOnlyList<StreamStatus> Streams => [];

    public ISteeringInsight Steering { get; } = new FakeInsight();

    public TraceView Trace(TraceQuestion question) => Tracer.Trace(Snapshot.Node, question);
}

/// <summary>eBPF steering with two counters.</summary>
internal sealed class FakeInsight : ISteeringInsight
{
    public string Mode => "ebpf";

    public string Reason => "the kernel can";

    public IReadOnlyList<string> ReadDevices() => ["eth0", "lxc1"];

    public IReadOnlyDictionary<SteeringCounter, long>? ReadCounters() =>
        new Dictionary<SteeringCounter, long> { [SteeringCounter.SteeredNew] = 3, [SteeringCounter.NoListener] = 1 };
}
