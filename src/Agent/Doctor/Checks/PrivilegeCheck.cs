using System;
using System.Collections.Generic;

namespace Postern.Agent.Doctor.Checks;

/// <summary>What this very process may do: without it the doctor sees less, and an agent started the same way could not steer.</summary>
public sealed class PrivilegeCheck : INodeCheck
{
    private const string Root = "run as root, or with AmbientCapabilities=NAME (systemd), capabilities.add (Kubernetes)";
    private static readonly FindingKind Fine = new("privilege.fine", FindingLevel.Ok, "this process may do what the agent must");
    private static readonly FindingKind NetAdmin = new("privilege.no-net-admin", FindingLevel.Warning, "the doctor cannot see iptables, marks of sockets and the steering lock; an agent could not steer at all", Root);
    private static readonly FindingKind Bpf = new("privilege.no-bpf", FindingLevel.Info, "the doctor cannot see programs, maps and counters; an agent could not steer by eBPF", Root);
    private static readonly FindingKind NetRaw = new("privilege.no-net-raw", FindingLevel.Info, "transparent UDP answers from a foreign address need it", Root);
    private static readonly FindingKind SysAdmin = new("privilege.no-sys-admin", FindingLevel.Info, "an agent could not mount the BPF file system, nor load programs before 5.8", "mount it beforehand: mount -t bpf bpf /sys/fs/bpf");

    // Numbers of linux/capability.h. CAP_SYS_ADMIN includes CAP_BPF.
    private const int CapNetAdmin = 12;
    private const int CapNetRaw = 13;
    private const int CapSysAdmin = 21;
    private const int CapBpf = 39;

    public IReadOnlyList<FindingKind> Kinds => [Fine, NetAdmin, Bpf, NetRaw, SysAdmin];

    public IEnumerable<Finding> Check(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var has = facts.Kernel.Capabilities;
        var all = true;
        foreach (var (kind, name, present) in new[]
        {
            (NetAdmin, "CAP_NET_ADMIN", Has(has, CapNetAdmin)),
            (Bpf, "CAP_BPF", Has(has, CapBpf) || Has(has, CapSysAdmin)),
            (NetRaw, "CAP_NET_RAW", Has(has, CapNetRaw)),
            (SysAdmin, "CAP_SYS_ADMIN", Has(has, CapSysAdmin) || facts.Kernel.BpfMount is not null),
        })
        {
            if (!present)
            {
                all = false;
                yield return kind.At(name, "not effective", kind.Mend!.Replace("NAME", name, StringComparison.Ordinal));
            }
        }
        if (all)
        {
            yield return Fine.At("capabilities", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"0x{has:x}"));
        }
    }

    private static bool Has(ulong set, int capability) => (set >> capability & 1) == 1;
}
