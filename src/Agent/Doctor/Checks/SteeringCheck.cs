using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net.Sockets;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Agent.Doctor.Checks;

/// <summary>Whether steering stands, by what, whose it is, and whether the iptables chain is met by every packet.</summary>
public sealed class SteeringCheck : INodeCheck
{
    private static readonly FindingKind Ebpf = new("steering.ebpf", FindingLevel.Ok, "eBPF programs steer");
    private static readonly FindingKind Iptables = new("steering.iptables", FindingLevel.Ok, "iptables TPROXY rules steer");
    private static readonly FindingKind None = new("steering.none", FindingLevel.Info, "nothing is steered: all traffic passes the proxy by");
    private static readonly FindingKind Absent = new("steering.absent", FindingLevel.Failure, "there are rules, but nothing in the kernel enforces them: traffic passes unpoliced", "restart the agent; did something flush the mangle table or remove the pins? Are they elsewhere (--bpf-root)?");
    private static readonly FindingKind Both = new("steering.both-modes", FindingLevel.Failure, "eBPF and iptables steer at once, by rules of different times", "stop the agent, start it once with --steering iptables and stop it, then start it with --steering ebpf");
    private static readonly FindingKind Leftovers = new("steering.leftovers", FindingLevel.Warning, "rules stand, but no living process owns them: what they steer is dropped once the listeners are gone", "start the agent; to let traffic pass unpoliced: iptables -t mangle -D PREROUTING … (docs/operations.md)");
    private static readonly FindingKind NoRules = new("steering.owner-without-rules", FindingLevel.Info, "a process has claimed the steering and steers nothing yet");
    private static readonly FindingKind NotFed = new("steering.not-fed", FindingLevel.Failure, "PREROUTING does not lead to our chain: traffic passes unpoliced", "iptables -t mangle -I PREROUTING 1 -m comment --comment \"postern-feeder: POSTERN_PRE_mangle\" -j POSTERN_PRE_mangle");
    private static readonly FindingKind NotFirst = new("steering.not-first", FindingLevel.Failure, "a rule in front of ours ends the chain: what it accepts passes unpoliced", "iptables -t mangle -D PREROUTING …, and append it behind ours");
    private static readonly FindingKind NotAlone = new("steering.others-before", FindingLevel.Info, "rules of others are in front of ours; they end nothing, but may set marks");
    private static readonly FindingKind Differs = new("steering.rules-differ", FindingLevel.Failure, "the chain does not hold the rules that were put in force", "restart the agent; did somebody change POSTERN_PRE_mangle?");

    private static readonly FindingKind Written = new("steering.rules-written", FindingLevel.Info, "no agent answers: the rules are those that were written beside the steering lock when they came in force");
    private static readonly FindingKind Unknown = new("steering.rules-unknown", FindingLevel.Warning, "rules are in force, but which is not known: listeners are not checked, and no packet can be followed", "start the agent; its first change of rules writes them beside the steering lock");

    private static readonly string[] Final = [" -j ACCEPT", " -j DROP", " -j TPROXY", " -j QUEUE", " -j NFQUEUE"];

    public IReadOnlyList<FindingKind> Kinds => [Ebpf, Iptables, None, Absent, Both, Leftovers, NoRules, NotFed, NotFirst, NotAlone, Differs, Written, Unknown];

    public IEnumerable<Finding> Check(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var (ebpf, iptables) = (facts.HasEbpf, facts.HasIptables);
        var isSeen = facts.Network.V4.Mangle is not null && facts.Bpf.Blind.Count == 0;
        if (ebpf)
        {
            yield return Ebpf.At("steering", $"maps in {facts.Bpf.Folder}");
        }
        if (iptables)
        {
            yield return Iptables.At("steering", string.Create(CultureInfo.InvariantCulture, $"{Count(facts.Network.V4)} IPv4 and {Count(facts.Network.V6)} IPv6 rules"));
        }
        if (ebpf && iptables)
        {
            yield return Both.At("steering", "maps pinned and POSTERN_PRE_mangle there");
        }
        if (!ebpf && !iptables && isSeen)
        {
            yield return facts.Agent.Rules.Count > 0 ? Absent.At("steering", string.Create(CultureInfo.InvariantCulture, $"{facts.Agent.Rules.Count} rules of the agent, none in the kernel"))
                : facts.Network.Written is { InForce.Count: > 0 and var count } ? Absent.At("steering", string.Create(CultureInfo.InvariantCulture, $"{count} rules written beside the lock, none in the kernel (no maps in {facts.Bpf.Folder})"))
                : facts.Network.HasOwner == true ? NoRules.At("steering", "lock held")
                : None.At("steering", "no chain, no maps");
        }
        if ((ebpf || iptables) && facts.Network.HasOwner == false)
        {
            yield return Leftovers.At("steering lock", "free");
        }
        if (facts.RulesSource == RulesSource.File)
        {
            yield return Written.At("rules", string.Create(CultureInfo.InvariantCulture, $"{facts.Network.Written!.InForce.Count} in force, {facts.Network.Written.Draining.Count} drain"));
        }
        else if (facts.RulesSource == RulesSource.Nobody && (ebpf || iptables))
        {
            yield return Unknown.At("rules", "no agent answers, no file beside the steering lock");
        }
        foreach (var (command, family, addresses) in new[] { ("iptables", facts.Network.V4, AddressFamily.InterNetwork), ("ip6tables", facts.Network.V6, AddressFamily.InterNetworkV6) })
        {
            if (family.Mangle is { } listing && IptablesRules.HasChain(listing))
            {
                foreach (var finding in Chain(facts, command, listing, addresses))
                {
                    yield return finding;
                }
            }
        }
    }

    /// <summary>The first rule in front of our feeder that ends the chain for what it matches, or null.</summary>
    internal static string? EndsBefore(IReadOnlyList<string> before)
    {
        foreach (var rule in before)
        {
            foreach (var target in Final)
            {
                if (rule.Contains(target + " ", StringComparison.Ordinal) || rule.EndsWith(target, StringComparison.Ordinal))
                {
                    return rule;
                }
            }
        }
        return null;
    }

    private static IEnumerable<Finding> Chain(NodeFacts facts, string command, string listing, AddressFamily addresses)
    {
        if (IptablesRules.BeforeFeeder(listing) is not { } before)
        {
            yield return NotFed.At(command + " PREROUTING", "no jump to POSTERN_PRE_mangle", NotFed.Mend!.Replace("iptables", command, StringComparison.Ordinal));
        }
        else if (EndsBefore(before) is { } rule)
        {
            yield return NotFirst.At(command + " PREROUTING", rule, $"{command} -t mangle -D{rule[2..]}, and append it (-A) behind ours");
        }
        else if (before.Count > 0)
        {
            yield return NotAlone.At(command + " PREROUTING", string.Join('\n', before));
        }
        var inForce = facts.Agent.Status is { } status ? status.Steering is { Installed: true, Mode: not "ebpf" } ? facts.Agent.Rules : null
            : facts.Network.Written is { Mode: SteeringMode.Iptables } written ? written.InForce : null;
        if (inForce is not null)
        {
            var wanted = 0;
            foreach (var one in inForce)
            {
                wanted += (one.Destination ?? one.Source) is not { } net || net.BaseAddress.AddressFamily == addresses ? 1 : 0;
            }
            var found = IptablesRules.Steering(listing).Count;
            if (found != wanted)
            {
                yield return Differs.At(command + " POSTERN_PRE_mangle", string.Create(CultureInfo.InvariantCulture, $"{found} TPROXY rules, put in force were {wanted}"));
            }
        }
    }

    private static int Count(FamilyFacts family) => family.Mangle is { } listing ? IptablesRules.Steering(listing).Count : 0;
}
