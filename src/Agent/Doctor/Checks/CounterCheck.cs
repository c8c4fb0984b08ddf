using System;
using System.Collections.Generic;
using System.Globalization;
using Postern.Tproxy.Bpf;

namespace Postern.Agent.Doctor.Checks;

/// <summary>Counters of the eBPF program that mean trouble. They only grow: look twice to see whether it goes on.</summary>
public sealed class CounterCheck : INodeCheck
{
    private static readonly FindingKind Fine = new("counter.fine", FindingLevel.Ok, "packets by what became of them; none was dropped");
    private static readonly FindingKind Idle = new("counter.idle", FindingLevel.Info, "there are no counters: eBPF does not steer here, or they cannot be read");
    private static readonly FindingKind NoListener = new("counter.no-listener", FindingLevel.Warning, "packets were dropped because nobody listened at the proxy port", "postern-agent status: is the proxy up and ready?");
    private static readonly FindingKind AssignFailed = new("counter.assign-failed", FindingLevel.Failure, "the kernel refused to give packets to the listener: SO_REUSEPORT before 6.6, or a listener of another network namespace", "look at listener.shared; start the proxy in this namespace");
    private static readonly FindingKind Unguarded = new("counter.unguarded-dropped", FindingLevel.Failure, "packets came in by a device without the program and were dropped on their way out", "look at program.no-ingress; the agent's log says why");
    private static readonly FindingKind Fragments = new("counter.fragment-dropped", FindingLevel.Warning, "fragments between addresses that rules concern were dropped: ports are in the first one only", "lower the sender's MTU or datagram size; look at mtu.differs");
    private static readonly FindingKind Truncated = new("counter.truncated", FindingLevel.Warning, "packets whose headers are not whole were dropped: an attack, or a broken driver", "tcpdump -i DEVICE -v on the pod's device");
    private static readonly FindingKind Extensions = new("counter.extensions-dropped", FindingLevel.Warning, "IPv6 packets with more extension headers than are read were dropped", "tcpdump -i DEVICE ip6 protochain 0 on the pod's device");
    private static readonly FindingKind OlderCut = new("counter.older-cut", FindingLevel.Info, "connections older than the rules, or unknown, were reset", "--older-connections keep leaves them alone, unjudged");

    private static readonly (SteeringCounter Counter, FindingKind Kind)[] Troubles =
    [
        (SteeringCounter.NoListener, NoListener),
        (SteeringCounter.AssignFailed, AssignFailed),
        (SteeringCounter.UnguardedDropped, Unguarded),
        (SteeringCounter.FragmentDropped, Fragments),
        (SteeringCounter.Truncated, Truncated),
        (SteeringCounter.ExtensionsDropped, Extensions),
        (SteeringCounter.OlderCut, OlderCut),
    ];

    public IReadOnlyList<FindingKind> Kinds => [Fine, Idle, NoListener, AssignFailed, Unguarded, Fragments, Truncated, Extensions, OlderCut];

    public IEnumerable<Finding> Check(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (facts.Bpf.Counters.Count == 0)
        {
            yield return Idle.At("counters", "none");
            yield break;
        }
        var bad = false;
        foreach (var (counter, kind) in Troubles)
        {
            if (facts.Bpf.Counters.TryGetValue(counter, out var packets) && packets > 0)
            {
                bad = true;
                yield return kind.At(counter.ToString(), string.Create(CultureInfo.InvariantCulture, $"{packets} packets"));
            }
        }
        if (!bad)
        {
            yield return Fine.At("counters", All(facts.Bpf.Counters));
        }
    }

    private static string All(IReadOnlyDictionary<SteeringCounter, long> counters)
    {
        var lines = new List<string>();
        foreach (var (counter, packets) in counters)
        {
            if (packets > 0)
            {
                lines.Add(string.Create(CultureInfo.InvariantCulture, $"{counter} {packets}"));
            }
        }
        return lines.Count == 0 ? "no packet yet" : string.Join(", ", lines);
    }
}
