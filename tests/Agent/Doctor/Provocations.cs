using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using Postern.Agent.Api;
using Postern.Agent.Doctor;
using Postern.Agent.Supervise;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Agent.Doctor;

/// <summary>For each id the least that is to be otherwise than on a healthy node (or on no node at all) to find it.</summary>
internal static class Provocations
{
    private static readonly NodeFacts Well = HealthyNode.Facts;
    private static readonly NodeFacts Idle = new() { Network = new NetworkFacts { V4 = new FamilyFacts { Rules = [], Table = [], Mangle = "" }, V6 = new FamilyFacts { IsEnabled = false } } };

    public static IReadOnlyDictionary<string, NodeFacts> All { get; } = new Dictionary<string, NodeFacts>
    {
        ["kernel.fine"] = Well,
        ["kernel.too-old-for-ebpf"] = Kernel(kernel => kernel with { Release = "5.6.19-generic" }),
        ["kernel.no-tcx"] = Kernel(kernel => kernel with { Release = "6.1.0-18-amd64" }),
        ["kernel.config-unknown"] = Kernel(kernel => kernel with { Config = null }),
        ["kernel.config-missing"] = Without("CONFIG_IP_MULTIPLE_TABLES"),
        ["kernel.config-missing-ebpf"] = Without("CONFIG_BPF_SYSCALL"),
        ["kernel.config-missing-iptables"] = Without("CONFIG_NETFILTER_XT_TARGET_TPROXY"),
        ["kernel.no-btf"] = Kernel(kernel => kernel with { HasBtf = false }),
        ["privilege.fine"] = Well,
        ["privilege.no-net-admin"] = Lacking(12),
        ["privilege.no-bpf"] = Lacking(39, 21),
        ["privilege.no-net-raw"] = Lacking(13),
        ["privilege.no-sys-admin"] = Kernel(kernel => kernel with { Capabilities = ~(1ul << 21), BpfMount = null }),
        ["tool.fine"] = Well,
        ["tool.no-ip"] = Kernel(kernel => kernel with { MissingCommands = ["ip"] }),
        ["tool.no-iptables"] = Kernel(kernel => kernel with { MissingCommands = ["ip6tables"] }),
        ["tool.no-libbpf"] = Kernel(kernel => kernel with { LibbpfFault = "not found" }),
        ["tool.no-bpffs"] = Kernel(kernel => kernel with { BpfMount = null }),
        ["tool.no-xt-module"] = Without("CONFIG_NETFILTER_XT_MATCH_SOCKET"),
        ["sysctl.fine"] = Well,
        ["sysctl.rp-filter-drops"] = Well.WithSysctl(("ipv4/conf/c0/rp_filter", "1")) with { EndpointRoutes = new Dictionary<IPAddress, RouteAnswer> { [HealthyNode.Pod] = new("s0", "1", "254", null) } },
        ["sysctl.rp-filter-strict"] = Well.WithSysctl(("ipv4/conf/all/rp_filter", "1")),
        ["sysctl.forwarding-off"] = Well.WithSysctl(("ipv4/ip_forward", "0")),
        ["sysctl.early-demux-off"] = Well.WithSysctl(("ipv4/ip_early_demux", "0")),
        ["sysctl.src-valid-mark"] = Well.WithSysctl(("ipv4/conf/all/src_valid_mark", "1")),
        ["sysctl.fwmark-reflect"] = Well.WithSysctl(("ipv4/fwmark_reflect", "1")),
        ["routing.fine"] = Well,
        ["routing.idle"] = Idle,
        ["routing.no-rule"] = Well.WithV4(family => family with { Rules = [HealthyNode.LocalRule, HealthyNode.MainRule] }),
        ["routing.other-rule-first"] = Well.WithV4(family => family with { Rules = [HealthyNode.LocalRule, new RuleFacts(5, 0x200, 0xf00, false, "100", "{priority 5}"), HealthyNode.OurRule] }),
        ["routing.no-route"] = Well.WithV4(family => family with { Table = [] }),
        ["routing.other-route"] = Well.WithV4(family => family with { Table = [new RouteFacts("2", "default", "lo"), new RouteFacts("1", "192.0.2.0/24", "s0")] }),
        ["routing.local-rule-moved"] = Well.WithV4(family => family with { Rules = [HealthyNode.OurRule, HealthyNode.LocalRule with { Priority = 100 }] }),
        ["steering.ebpf"] = HealthyNode.Ebpf,
        ["steering.iptables"] = Well,
        ["steering.none"] = Idle,
        ["steering.absent"] = Well.WithV4(family => family with { Mangle = "-P PREROUTING ACCEPT\n" }),
        ["steering.both-modes"] = HealthyNode.Ebpf with { Network = Well.Network },
        ["steering.leftovers"] = Well with { Network = Well.Network with { HasOwner = false } },
        ["steering.owner-without-rules"] = Idle with { Network = Idle.Network with { HasOwner = true } },
        ["steering.not-fed"] = Well.WithV4(family => family with { Mangle = HealthyNode.Chain + HealthyNode.Body }),
        ["steering.not-first"] = Well.WithV4(family => family with { Mangle = HealthyNode.Chain + "-A PREROUTING -s 10.0.0.0/8 -j ACCEPT\n" + HealthyNode.Feeder + HealthyNode.Body }),
        ["steering.others-before"] = Well.WithV4(family => family with { Mangle = HealthyNode.Chain + "-A PREROUTING -j CILIUM_PRE_mangle\n" + HealthyNode.Feeder + HealthyNode.Body }),
        ["steering.rules-differ"] = Well.WithV4(family => family with { Mangle = HealthyNode.Chain + HealthyNode.Feeder }),
        ["steering.rules-written"] = HealthyNode.Written,
        ["steering.rules-unknown"] = HealthyNode.Alone,
        ["program.fine"] = HealthyNode.Ebpf,
        ["program.idle"] = Well,
        ["program.map-missing"] = HealthyNode.Ebpf with { Bpf = HealthyNode.Ebpf.Bpf with { MissingMaps = ["flows"] } },
        ["program.no-ingress"] = HealthyNode.Ebpf.WithDevice(new AttachedPrograms(2, ["cil_from_netdev"], ["postern_guard"], false)),
        ["program.not-listed"] = HealthyNode.Ebpf.WithDevice(new AttachedPrograms(2, ["postern_ingress"], ["postern_guard"], false)),
        ["program.no-guard"] = HealthyNode.Ebpf.WithDevice(new AttachedPrograms(2, ["postern_ingress"], [], true)),
        ["program.not-first"] = HealthyNode.Ebpf.WithDevice(new AttachedPrograms(2, ["cil_from_netdev", "postern_ingress"], ["postern_guard"], true)),
        ["counter.fine"] = HealthyNode.Ebpf,
        ["counter.idle"] = Well,
        ["counter.no-listener"] = HealthyNode.Ebpf.WithCounter(SteeringCounter.NoListener),
        ["counter.assign-failed"] = HealthyNode.Ebpf.WithCounter(SteeringCounter.AssignFailed),
        ["counter.unguarded-dropped"] = HealthyNode.Ebpf.WithCounter(SteeringCounter.UnguardedDropped),
        ["counter.set-missing"] = HealthyNode.Ebpf.WithCounter(SteeringCounter.SetMissing),
        ["counter.fragment-dropped"] = HealthyNode.Ebpf.WithCounter(SteeringCounter.FragmentDropped),
        ["counter.truncated"] = HealthyNode.Ebpf.WithCounter(SteeringCounter.Truncated),
        ["counter.extensions-dropped"] = HealthyNode.Ebpf.WithCounter(SteeringCounter.ExtensionsDropped),
        ["counter.older-cut"] = HealthyNode.Ebpf.WithCounter(SteeringCounter.OlderCut),
        ["listener.fine"] = Well,
        ["listener.idle"] = Idle,
        ["listener.nobody"] = Well with { Agent = Well.Agent with { Rules = [SteeringRule.Parse("from=10.0.0.2/32,port=80,proxy-port=1")] } },
        ["listener.missing"] = Well with { Listeners = [] },
        ["listener.not-transparent"] = Well with { Listeners = [HealthyNode.Listener with { Transparent = false }] },
        ["listener.bad-mark"] = Well with { Listeners = [HealthyNode.Listener with { Mark = 0 }] },
        ["listener.bad-address"] = Well with { Listeners = [HealthyNode.Listener with { Local = IPEndPoint.Parse("10.0.0.1:10001") }] },
        ["listener.shared"] = Well with { Listeners = [HealthyNode.Listener, HealthyNode.Listener with { Inode = 8 }] },
        ["mtu.fine"] = Well,
        ["mtu.differs"] = Well.WithLink("c0", link => link with { Mtu = 9000 }),
        ["mtu.small-for-ipv6"] = Well.WithLink("s0", link => link with { Mtu = 1200 }) with { Network = Well.WithLink("s0", link => link with { Mtu = 1200 }).Network with { V6 = new FamilyFacts() } },
        ["proxy.fine"] = Well,
        ["proxy.no-agent"] = Idle,
        ["proxy.down"] = Well.WithStatus(status => status with { Proxy = new ProxyStatus { State = ProxyState.Down } }),
        ["proxy.nack"] = Well.WithStatus(status => status with { Streams = [new StreamView("NPDS", "n", [], 2, 1, "bad port", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch)] }),
        ["proxy.not-enforced"] = Well.WithStatus(status => status with { Policy = new RevisionView(4, 3, "being applied", "") }),
        ["proxy.folder-problem"] = Well.WithStatus(status => status with { Problems = ["p.yaml:3:1: no such field"] }),
        ["proxy.steering-error"] = Well.WithStatus(status => status with { Steering = status.Steering with { Error = "refused" } }),
        ["look.fine"] = Well,
        ["look.blind"] = Well with { Blind = ["TCP sockets: no right"] },
    };

    private static NodeFacts Kernel(Func<KernelFacts, KernelFacts> change) => Well with { Kernel = change(Well.Kernel) };

    private static NodeFacts Without(string option) => Kernel(kernel => kernel with { Config = kernel.Config!.Replace(option + "=y", $"# {option} is not set", StringComparison.Ordinal) });

    private static NodeFacts Lacking(params int[] capabilities) => Kernel(kernel => kernel with { Capabilities = capabilities.Aggregate(ulong.MaxValue, (set, one) => set & ~(1ul << one)) });
}
