using System;
using System.Collections.Generic;
using System.Globalization;
using Postern.Agent.Steer;
using Postern.Tproxy.Bpf;

namespace Postern.Agent.Doctor.Checks;

/// <summary>Counters of the eBPF program that mean trouble. They only grow: look twice to see whether it goes on.</summary>
public sealed class CounterCheck : INodeCheck
{
    private static readonly FindingKind Fine = new("counter.fine", FindingLevel.Ok, "packets by what became of them; none was dropped");
    private static readonly FindingKind Idle = new("counter.idle", FindingLevel.Info, "there are no counters: eBPF does not steer here, or they cannot be read");
    private static readonly (SteeringCounter Counter, FindingKind Kind)[] Troubles =
    [
        Trouble(SteeringCounter.NoListener, "counter.no-listener", FindingLevel.Warning, "postern-agent status: is the proxy up and ready?"),
        Trouble(SteeringCounter.AssignFailed, "counter.assign-failed", FindingLevel.Failure, "look at listener.shared; start the proxy in this namespace"),
        Trouble(SteeringCounter.UnguardedDropped, "counter.unguarded-dropped", FindingLevel.Failure, "look at program.no-ingress; the agent's log says why"),
        Trouble(SteeringCounter.SetMissing, "counter.set-missing", FindingLevel.Failure, "restart the agent: it writes the rules anew"),
        Trouble(SteeringCounter.FragmentDropped, "counter.fragment-dropped", FindingLevel.Warning, "lower the sender's MTU or datagram size; look at mtu.differs"),
        Trouble(SteeringCounter.Truncated, "counter.truncated", FindingLevel.Warning, "tcpdump -i DEVICE -v on the pod's device"),
        Trouble(SteeringCounter.ExtensionsDropped, "counter.extensions-dropped", FindingLevel.Warning, "tcpdump -i DEVICE ip6 protochain 0 on the pod's device"),
        Trouble(SteeringCounter.OlderCut, "counter.older-cut", FindingLevel.Info, "--older-connections keep leaves them alone, unjudged"),
    ];

    public IReadOnlyList<FindingKind> Kinds => [Fine, Idle, .. Array.ConvertAll(Troubles, trouble => trouble.Kind)];

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

    private static (SteeringCounter Counter, FindingKind Kind) Trouble(SteeringCounter counter, string id, FindingLevel level, string mend) =>
        (counter, new FindingKind(id, level, CounterMeaning.Of(counter).ToString(), mend));

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
