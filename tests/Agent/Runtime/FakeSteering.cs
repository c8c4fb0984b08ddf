using System;
using System.Collections.Generic;
using Postern.Agent.Steer;
using Postern.Tproxy;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Agent.Runtime;

/// <summary>Writes down what it is told.</summary>
internal sealed class FakeSteering(Action<string> log) : INodeSteering
{
    public string Mode => "fake";

    public string Reason => "a test";

    /// <summary>When set, changes fail with it.</summary>
    public string? Failure { get; set; }

    public void Claim() => log("steering: claimed");

    public void Replace(IReadOnlyList<SteeringRule> rules)
    {
        if (Failure is { } reason)
        {
            throw new TproxyException(reason);
        }
        log($"steering: {(rules.Count == 0 ? "no rules" : string.Join(" | ", rules))}");
    }

    public void Remove() => log("steering: removed");

    public IReadOnlyList<string> ReadDevices() => [];

    public IReadOnlyDictionary<SteeringCounter, long>? ReadCounters() => null;
}
