using System.Collections.Generic;
using System.Linq;
using System.Net;
using Postern.Agent.Api;
using Postern.Agent.Doctor;
using Postern.Agent.Doctor.Path;
using Postern.Agent.Supervise;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Agent.Doctor;

/// <summary>Literal facts of a node where all is well: pod default/web 10.0.0.2 behind c0, the way out by s0, all it sends to port 80 steered to port 10001.</summary>
internal static class HealthyNode
{
    public const string Feeder = "-A PREROUTING -m comment --comment \"postern-feeder: POSTERN_PRE_mangle\" -j POSTERN_PRE_mangle\n";

    public const string Chain = "-P PREROUTING ACCEPT\n-N POSTERN_PRE_mangle\n";

    public const string Body =
        "-A POSTERN_PRE_mangle -p tcp -m socket --transparent -m comment --comment \"postern: packets of transparent sockets\" -j MARK --set-xmark 0x200/0xf00\n"
        + "-A POSTERN_PRE_mangle -s 10.0.0.2/32 -p tcp -m tcp --dport 80 -m comment --comment \"postern: TPROXY to port 10001\" -j TPROXY --on-port 10001 --on-ip 127.0.0.1 --tproxy-mark 0x200/0xf00\n";

    public static readonly IPAddress Pod = IPAddress.Parse("10.0.0.2");
    public static readonly IPEndPoint Server = IPEndPoint.Parse("192.0.2.1:80");

    public static readonly RuleFacts LocalRule = new(0, null, uint.MaxValue, false, "255", "{}");
    public static readonly RuleFacts OurRule = new(9, 0x200, 0xf00, false, "2004", "{}");
    public static readonly RuleFacts MainRule = new(32766, null, uint.MaxValue, false, "254", "{}");

    public static readonly ListenerSocket Listener = new(SteeringProtocol.Tcp, IPEndPoint.Parse("127.0.0.1:10001"), 0, 7) { Mark = 0xb00, Transparent = true, Process = "postern (pid 9)" };

    private static readonly RouteAnswer ToPod = new("c0", "1", "254", null);
    private static readonly RouteAnswer Delivered = new("lo", "2", "2004", null);

    public static EndpointView Endpoint { get; } = new(1, "default/web", 1001, [], ["10.0.0.2"], "c0", null, "Disabled", "Enabled", ["default/p"], []);

    public static StatusView Status { get; } = new()
    {
        Folder = "/etc/postern-agent",
        Policy = new RevisionView(3, 3, "enforced", ""),
        Proxy = new ProxyStatus { State = ProxyState.Running, Pid = 9 },
        Steering = new SteeringView { Mode = "iptables", Installed = true },
    };

    public static NodeFacts Facts { get; } = new()
    {
        Kernel = new KernelFacts
        {
            Release = "6.18.1",
            Config = string.Join('\n', new[]
            {
                "INET", "IP_MULTIPLE_TABLES", "BPF_SYSCALL", "NET_CLS_ACT", "NET_SCH_INGRESS", "BPF_JIT", "NETFILTER_XT_TARGET_TPROXY", "NF_TPROXY_IPV4", "NF_TPROXY_IPV6",
                "NETFILTER_XT_MATCH_SOCKET", "NETFILTER_XT_CONNMARK", "NETFILTER_XT_MATCH_COMMENT",
            }.Select(name => $"CONFIG_{name}=y")),
            HasBtf = true,
            Capabilities = ulong.MaxValue,
            BpfMount = "/sys/fs/bpf",
        },
        Network = new NetworkFacts
        {
            Links = [new LinkFacts(1, "lo", "", null, true, 65536, IsLoopback: true), new LinkFacts(2, "c0", "veth", null, true, 1500), new LinkFacts(3, "s0", "veth", null, true, 1500)],
            V4 = new FamilyFacts
            {
                Rules = [LocalRule, OurRule, MainRule],
                Table = [new RouteFacts("2", "default", "lo")],
                Defaults = [new RouteFacts("1", "default", "s0")],
                Mangle = Chain + Feeder + Body,
            },
            V6 = new FamilyFacts { IsEnabled = false },
            Sysctls = new Dictionary<string, string> { ["ipv4/ip_forward"] = "1", ["ipv4/conf/all/rp_filter"] = "0", ["ipv4/ip_early_demux"] = "1" },
            HasOwner = true,
        },
        Listeners = [Listener],
        Agent = new AgentFacts { Socket = "/run/postern/agent.sock", Status = Status, Endpoints = [Endpoint], Rules = [SteeringRule.Parse("from=10.0.0.2/32,port=80,proxy-port=10001")] },
        EndpointRoutes = new Dictionary<IPAddress, RouteAnswer> { [Pod] = ToPod },
    };

    /// <summary>The same steered by eBPF.</summary>
    public static NodeFacts Ebpf { get; } = Facts.WithV4(family => family with { Mangle = "-P PREROUTING ACCEPT\n" }) with
    {
        Bpf = new BpfFacts
        {
            Folder = "/sys/fs/bpf/postern/1",
            Maps = ["state", "devices", "counters"],
            Devices = [new AttachedPrograms(2, ["postern_ingress"], ["postern_guard"], true), new AttachedPrograms(3, ["postern_ingress"], ["postern_guard"], true)],
            Counters = new Dictionary<SteeringCounter, long> { [SteeringCounter.SteeredNew] = 4, [SteeringCounter.NoListener] = 0 },
        },
        Agent = Facts.Agent with { Status = Status with { Steering = new SteeringView { Mode = "ebpf", Installed = true } } },
    };

    /// <summary>The same without an agent: rules are in force, and nobody tells which.</summary>
    public static NodeFacts Alone { get; } = Ebpf with { Agent = new AgentFacts { Socket = "/run/postern/agent.sock", Fault = "no agent" } };

    /// <summary>The same, where the rules were written down.</summary>
    public static NodeFacts Written { get; } = Alone with { Network = Alone.Network with { Written = new KnownRules(SteeringMode.Ebpf, Facts.Agent.Rules, []) } };

    public static PathFacts Packet { get; } = new()
    {
        From = "default/web",
        Source = Pod,
        To = Server,
        Endpoint = Endpoint,
        ToSource = ToPod,
        Marked = Delivered,
        Onward = new RouteAnswer("s0", "1", "254", null),
        Back = Delivered,
        Policy = new TraceView("allowed", new TracePartyView("default/web", 1001), new TracePartyView("192.0.2.1", 2), 80, new TraceSideView(true, true, "Allowed", []), null, ["allowed"]),
    };

    public static NodeFacts WithV4(this NodeFacts facts, System.Func<FamilyFacts, FamilyFacts> change) => facts with { Network = facts.Network with { V4 = change(facts.Network.V4) } };

    public static NodeFacts WithSysctl(this NodeFacts facts, params (string Name, string Value)[] more)
    {
        var all = new Dictionary<string, string>(facts.Network.Sysctls);
        foreach (var (name, value) in more)
        {
            all[name] = value;
        }
        return facts with { Network = facts.Network with { Sysctls = all } };
    }

    public static NodeFacts WithStatus(this NodeFacts facts, System.Func<StatusView, StatusView> change) => facts with { Agent = facts.Agent with { Status = change(facts.Agent.Status!) } };

    public static NodeFacts WithDevice(this NodeFacts facts, AttachedPrograms programs) =>
        facts with { Bpf = facts.Bpf with { Devices = [.. facts.Bpf.Devices.Where(one => one.Index != programs.Index), programs] } };

    public static NodeFacts WithLink(this NodeFacts facts, string name, System.Func<LinkFacts, LinkFacts> change) =>
        facts with { Network = facts.Network with { Links = [.. facts.Network.Links.Select(link => link.Name == name ? change(link) : link)] } };

    public static NodeFacts WithCounter(this NodeFacts facts, SteeringCounter counter) =>
        facts with { Bpf = facts.Bpf with { Counters = new Dictionary<SteeringCounter, long> { [counter] = 1 } } };
}
