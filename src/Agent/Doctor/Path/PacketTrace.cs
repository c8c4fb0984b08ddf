using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net.Sockets;
using Postern.Agent.Doctor.Checks;
using Postern.Agent.Supervise;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Doctor.Path;

/// <summary>
/// Follows a packet from an endpoint of this node to a destination, and the answer back, along what the facts say. Pure. Ten steps; each is judged
/// whatever became of the ones before, for one fault often hides another.
/// </summary>
public sealed class PacketTrace
{
    private readonly NodeFacts node;
    private readonly PathFacts path;
    private readonly SteeringRule? rule;
    private readonly LinkFacts? link;

    private PacketTrace(NodeFacts node, PathFacts path)
    {
        this.node = node;
        this.path = path;
        rule = RuleMatch.Find(node.Rules, path.Source, path.To, path.Protocol, path.Device);
        link = Link(path.Device);
    }

    private FamilyFacts Family => path.Source.AddressFamily == AddressFamily.InterNetwork ? node.Network.V4 : node.Network.V6;

    private string Flag => path.Source.AddressFamily == AddressFamily.InterNetwork ? "-4" : "-6";

    /// <summary>The ten steps.</summary>
    public static IReadOnlyList<PathStep> Run(NodeFacts node, PathFacts path)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(path);
        var trace = new PacketTrace(node, path);
        return [trace.Endpoint(), trace.Device(), trace.Hook(), trace.Rule(), trace.Delivery(), trace.SourceCheck(), trace.Listener(), trace.Verdict(), trace.Onward(), trace.Back()];
    }

    private PathStep Endpoint()
    {
        const string Name = "endpoint";
        return path.Endpoint is { } endpoint ? new PathStep(1, Name, StepState.Ok, $"{endpoint.Name} is {path.Source}, identity {endpoint.Identity.ToString(CultureInfo.InvariantCulture)}")
            : node.Agent.Status is null ? new PathStep(1, Name, StepState.Unseen, $"no agent answers; {path.Source} is taken as it is")
            : new PathStep(1, Name, StepState.Astray, $"the agent knows no endpoint {path.Source}: nothing that it sends is policed", "add an Endpoint with that address to the agent's folder");
    }

    private PathStep Device()
    {
        const string Name = "device";
        if (path.Device is not { } device)
        {
            return new PathStep(2, Name, StepState.Astray, path.ToSource.IsLocal ? $"{path.Source} is an address of this host, whose own traffic is not steered" : $"no route to {path.Source}: {path.ToSource.Refusal}", $"ip {Flag} route add {path.Source} dev DEVICE");
        }
        return link is null ? new PathStep(2, Name, StepState.Astray, $"there is no device {device}", "name the device on the node's side in the Endpoint's interface, or leave it out")
            : !link.IsUp ? new PathStep(2, Name, StepState.Astray, $"{device} is down", $"ip link set {device} up")
            : path.ToSource.Refusal is null && path.ToSource.Device != device ? new PathStep(2, Name, StepState.Ok, $"{device} is up; answers leave by {path.ToSource.Device}")
            : new PathStep(2, Name, StepState.Ok, $"{device} is up and leads to {path.Source}");
    }

    private PathStep Hook()
    {
        const string Name = "hook";
        if (node.HasEbpf)
        {
            return Program(3, Name, link);
        }
        if (Family.Mangle is not { } listing)
        {
            return new PathStep(3, Name, StepState.Unseen, "the mangle table cannot be read");
        }
        if (!IptablesRules.HasChain(listing))
        {
            return node.Agent.Rules.Count > 0 || node.Network.Written is { InForce.Count: > 0 }
                ? new PathStep(3, Name, StepState.Astray, $"neither programs in {node.Bpf.Folder} nor POSTERN_PRE_mangle: nothing enforces the rules that there are", "restart the agent, or name the BPF file system by --bpf-root")
                : new PathStep(3, Name, StepState.Ok, "nothing is steered on this node");
        }
        return IptablesRules.BeforeFeeder(listing) is not { } before ? new PathStep(3, Name, StepState.Astray, "PREROUTING does not lead to POSTERN_PRE_mangle", $"{Command} -t mangle -I PREROUTING 1 -m comment --comment \"postern-feeder: POSTERN_PRE_mangle\" -j POSTERN_PRE_mangle")
            : SteeringCheck.EndsBefore(before) is { } other ? new PathStep(3, Name, StepState.Astray, $"in front of ours: {other}", $"{Command} -t mangle -D{other[2..]}, and append it (-A) behind ours")
            : new PathStep(3, Name, StepState.Ok, "PREROUTING leads to POSTERN_PRE_mangle");
    }

    private PathStep Rule()
    {
        const string Name = "rule";
        if (rule is not null)
        {
            var side = rule.Source is { } from && from.Contains(path.Source) ? "what the endpoint sends" : "what the destination receives";
            return new PathStep(4, Name, StepState.Ok, $"steered: {rule} ({side}){Written}");
        }
        if (node.RulesSource == RulesSource.Nobody)
        {
            return new PathStep(4, Name, StepState.Unseen, "no agent answers, and there is no file of the rules in force beside the steering lock");
        }
        return path.Policy is { Egress.IsSteered: true } or { Ingress.IsSteered: true }
            ? new PathStep(4, Name, StepState.Astray, "no rule steers it, but policy speaks about it: it passes unpoliced", "postern-agent status: is the last revision enforced? Has the endpoint's interface the right name?")
            : new PathStep(4, Name, StepState.Ok, node.RulesSource == RulesSource.Agent ? "no rule: it passes the proxy by, and no policy speaks about it" : $"no rule: it passes the proxy by{Written}");
    }

    private PathStep Delivery()
    {
        const string Name = "delivery";
        if (rule is null)
        {
            return Skipped(5, Name);
        }
        if (Family is not { Rules: { } rules, Table: { } table })
        {
            return new PathStep(5, Name, StepState.Unseen, "ip rules or routes cannot be read");
        }
        var number = node.Options.RouteTable.ToString(CultureInfo.InvariantCulture);
        var hasDefault = false;
        foreach (var route in table)
        {
            hasDefault |= route is { Destination: "default", Type: "2", Device: "lo" };
        }
        return RoutingCheck.Find(node, rules) is null
                ? new PathStep(5, Name, StepState.Astray, $"no ip rule leads mark 0x200 to table {number}", string.Create(CultureInfo.InvariantCulture, $"ip {Flag} rule add priority {node.Options.RulePriority} fwmark 0x200/0xf00 lookup {number} protocol 80"))
            : !hasDefault ? new PathStep(5, Name, StepState.Astray, $"table {number} has no local default", $"ip {Flag} route add local default dev lo table {number} proto 80")
            : path.Marked is { Refusal: null, IsLocal: false } astray
                ? new PathStep(5, Name, StepState.Astray, $"marked packets go out of {astray.Device} by table {astray.Table}: another ip rule is in front", $"ip {Flag} rule show; delete the rule that leads to table {astray.Table}, or move it behind ours")
            : new PathStep(5, Name, StepState.Ok, $"mark 0x200 leads to table {number}, which is local");
    }

    private PathStep SourceCheck()
    {
        const string Name = "source check";
        if (rule is null)
        {
            return Skipped(6, Name);
        }
        if (path.Device is not { } device || path.Marked is not { } marked)
        {
            return new PathStep(6, Name, StepState.Unseen, "the packet's device is not known");
        }
        if (path.Source.AddressFamily == AddressFamily.InterNetwork && SysctlCheck.TakesMarkedForMartians(node, device))
        {
            return new PathStep(6, Name, StepState.Astray, $"src_valid_mark is 1 and accept_local 0: a marked packet on {device} is a martian", $"sysctl -w net.ipv4.conf.all.src_valid_mark=0 net.ipv4.conf.{device}.src_valid_mark=0");
        }
        if (path.Source.AddressFamily == AddressFamily.InterNetwork && SysctlCheck.ReversePathFilter(node, device) == 1 && path.ToSource.Refusal is null && path.ToSource.Device != device)
        {
            return new PathStep(6, Name, StepState.Astray, $"rp_filter is strict on {device}, but the route to {path.Source} leads by {path.ToSource.Device}", $"sysctl -w net.ipv4.conf.{device}.rp_filter=2, or mend the route to {path.Source}");
        }
        // Without the rule the refusal is that of an ordinary packet, and step 5 has told why.
        return marked.Refusal is { } refusal && Family.Rules is { } rules && RoutingCheck.Find(node, rules) is not null
            ? new PathStep(6, Name, StepState.Astray, $"the kernel refuses such a packet on {device}: {refusal}", $"ip {Flag} route get {path.To.Address} from {path.Source} iif {device} mark 0x200; log_martians tells more")
            : new PathStep(6, Name, StepState.Ok, $"the kernel takes {path.Source} on {device}");
    }

    private PathStep Listener()
    {
        const string Name = "listener";
        if (rule is null)
        {
            return Skipped(7, Name);
        }
        foreach (var finding in ListenerCheck.Judge(node, path.Protocol, rule.ProxyPort, path.Source.AddressFamily))
        {
            if (finding.Level == FindingLevel.Failure || finding.Id == "listener.nobody")
            {
                return new PathStep(7, Name, StepState.Astray, $"{finding.Subject}: {finding.Value}: {finding.Meaning}", finding.Mend);
            }
        }
        return new PathStep(7, Name, StepState.Ok, string.Create(CultureInfo.InvariantCulture, $"a transparent socket waits at port {rule.ProxyPort}"));
    }

    private PathStep Verdict()
    {
        const string Name = "policy";
        var ask = $"postern-agent policy trace --from {path.From} --to {path.To.Address} --port {path.To.Port.ToString(CultureInfo.InvariantCulture)}";
        return rule is null ? Skipped(8, Name)
            : node.Agent.Status is not { } status ? new PathStep(8, Name, StepState.Unseen, "no agent answers")
            : status.Proxy.State != ProxyState.Running ? new PathStep(8, Name, StepState.Astray, $"the proxy is {status.Proxy.State.ToString().ToLowerInvariant()}", "postern-agent status")
            : path.Policy is not { } policy ? new PathStep(8, Name, StepState.Unseen, path.PolicyFault)
            : policy.Verdict == "denied" ? new PathStep(8, Name, StepState.Astray, "policy denies it: " + string.Join("; ", policy.Lines), ask)
            : new PathStep(8, Name, StepState.Ok, "the proxy runs, and policy allows the connection (requests may still be refused)");
    }

    private PathStep Onward()
    {
        const string Name = "way on";
        if (path.Onward.Refusal is { } refusal)
        {
            return new PathStep(9, Name, StepState.Astray, $"no route to {path.To.Address}: {refusal}", $"ip {Flag} route add {path.To.Address} …");
        }
        return Link(path.Onward.Device) is { IsUp: false } down
            ? new PathStep(9, Name, StepState.Astray, $"{down.Name} is down", $"ip link set {down.Name} up")
            : new PathStep(9, Name, StepState.Ok, path.Onward.IsLocal ? "the destination is this host" : $"by {path.Onward.Device}");
    }

    private PathStep Back()
    {
        const string Name = "way back";
        if (rule is null || path.Onward.Refusal is not null)
        {
            return Skipped(10, Name);
        }
        if (path.Onward.IsLocal)
        {
            return new PathStep(10, Name, StepState.Ok, "answers begin on this host");
        }
        if (node.HasEbpf)
        {
            return Program(10, Name, Link(path.Onward.Device));
        }
        return Family.Mangle is not { } listing ? new PathStep(10, Name, StepState.Unseen, "the mangle table cannot be read")
            : !IptablesRules.CatchesAnswers(listing) ? new PathStep(10, Name, StepState.Astray, "nothing catches answers to the proxy: neither socket match nor connection mark", "restart the agent; modprobe xt_socket")
            : path.Back is { Refusal: { } refusal } && Family.Rules is { } rules && RoutingCheck.Find(node, rules) is not null
                ? new PathStep(10, Name, StepState.Astray, $"the kernel refuses answers on {path.Onward.Device}: {refusal}", $"sysctl -w net.ipv4.conf.{path.Onward.Device}.rp_filter=2")
            : new PathStep(10, Name, StepState.Ok, $"answers that come by {path.Onward.Device} are caught");
    }

    private PathStep Program(int number, string name, LinkFacts? device)
    {
        if (device is null || ProgramCheck.Find(node, device) is not { } programs)
        {
            return new PathStep(number, name, StepState.Unseen, "the programs of that device cannot be seen");
        }
        foreach (var finding in ProgramCheck.Wants(node, device) ? ProgramCheck.Device(device, programs) : [])
        {
            if (finding.Id != "program.no-guard")
            {
                return new PathStep(number, name, StepState.Astray, $"{finding.Subject}: {finding.Value}: {finding.Meaning}", finding.Mend);
            }
        }
        return new PathStep(number, name, StepState.Ok, $"the program runs first on {device.Name}");
    }

    private string Written => node.RulesSource == RulesSource.File ? "; by the rules that were written beside the steering lock, for no agent answers" : string.Empty;

    private string Command => path.Source.AddressFamily == AddressFamily.InterNetwork ? "iptables" : "ip6tables";

    private LinkFacts? Link(string? name)
    {
        foreach (var one in node.Network.Links)
        {
            if (one.Name == name)
            {
                return one;
            }
        }
        return null;
    }

    private static PathStep Skipped(int number, string name) => new(number, name, StepState.Skipped, "not steered");
}
