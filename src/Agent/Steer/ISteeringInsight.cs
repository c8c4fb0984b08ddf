using System.Collections.Generic;
using Postern.Tproxy.Bpf;

namespace Postern.Agent.Steer;

/// <summary>What can be seen of the node's steering, from any thread.</summary>
public interface ISteeringInsight
{
    /// <summary><c>ebpf</c>, <c>iptables</c> or <c>none</c>; empty until it is claimed.</summary>
    string Mode { get; }

    /// <summary>Why this mode; one line, empty until it is claimed.</summary>
    string Reason { get; }

    /// <summary>The devices where eBPF programs run, by name; empty in other modes.</summary>
    IReadOnlyList<string> ReadDevices();

    /// <summary>Packets since the maps were made, or null where this mode has no counters of its own.</summary>
    /// <exception cref="Postern.Tproxy.TproxyException">They cannot be read.</exception>
    IReadOnlyDictionary<SteeringCounter, long>? ReadCounters();
}
