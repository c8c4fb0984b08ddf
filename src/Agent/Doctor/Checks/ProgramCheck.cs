using System;
using System.Collections.Generic;
using Postern.Tproxy.Diagnosis;

namespace Postern.Agent.Doctor.Checks;

/// <summary>eBPF steering: maps, and the programs of each device.</summary>
public sealed class ProgramCheck : INodeCheck
{
    private static readonly FindingKind Fine = new("program.fine", FindingLevel.Ok, "every device has both programs, ours first");
    private static readonly FindingKind Idle = new("program.idle", FindingLevel.Info, "eBPF does not steer here");
    private static readonly FindingKind NoMap = new("program.map-missing", FindingLevel.Failure, "a map is not pinned any more: the next agent cannot adopt what runs, and loads anew", "restart the agent; did something clear the BPF file system?");
    private static readonly FindingKind NoIngress = new("program.no-ingress", FindingLevel.Failure, "what comes in by this device is not steered; the guard drops what rules concern", "restart the agent; its log says why the program could not be attached to DEVICE");
    private static readonly FindingKind NotListed = new("program.not-listed", FindingLevel.Failure, "the program runs, but the guards do not know: they drop what comes in by this device and rules concern", "restart the agent; did something change the map devices?");
    private static readonly FindingKind NoGuard = new("program.no-guard", FindingLevel.Failure, "what came in past the program can leave by this device unpoliced", "restart the agent; its log says why the guard could not be attached to DEVICE");
    private static readonly FindingKind NotFirst = new("program.not-first", FindingLevel.Failure, "another program judges packets before ours: what it redirects or accepts passes unpoliced", "detach it, or let it attach behind ours (bpftool net show dev DEVICE)");

    public IReadOnlyList<FindingKind> Kinds => [Fine, Idle, NoMap, NoIngress, NotListed, NoGuard, NotFirst];

    public IEnumerable<Finding> Check(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (!facts.HasEbpf)
        {
            yield return Idle.At("programs", "no maps pinned");
            yield break;
        }
        var bad = false;
        foreach (var map in facts.Bpf.MissingMaps)
        {
            bad = true;
            yield return NoMap.At(map, "not pinned in " + facts.Bpf.Folder);
        }
        var devices = 0;
        foreach (var link in facts.Network.Links)
        {
            if (!Wants(facts, link) || Find(facts, link) is not { } programs)
            {
                continue;
            }
            devices++;
            foreach (var finding in Device(link, programs))
            {
                bad = true;
                yield return finding;
            }
        }
        if (!bad)
        {
            yield return Fine.At("programs", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{devices} devices"));
        }
    }

    /// <summary>Whether the programs belong on a device: any that is up but lo, and what a bridge or bond has, whose packets come by the master.</summary>
    internal static bool Wants(NodeFacts facts, LinkFacts link)
    {
        if (link.IsLoopback || !link.IsUp)
        {
            return false;
        }
        foreach (var other in facts.Network.Links)
        {
            if (other.Name == link.Master && other.Kind is "bridge" or "bond" or "team")
            {
                return false;
            }
        }
        return true;
    }

    internal static AttachedPrograms? Find(NodeFacts facts, LinkFacts link)
    {
        foreach (var device in facts.Bpf.Devices)
        {
            if (device.Index == link.Index)
            {
                return device;
            }
        }
        return null;
    }

    /// <summary>What is wrong with one device.</summary>
    internal static IEnumerable<Finding> Device(LinkFacts link, AttachedPrograms programs)
    {
        if (!Holds(programs.Ingress, BpfDiagnosis.IngressProgram))
        {
            yield return NoIngress.At(link.Name, Chain(programs.Ingress), Fill(NoIngress, link));
        }
        else if (!programs.IsRegistered)
        {
            yield return NotListed.At(link.Name, Chain(programs.Ingress), Fill(NotListed, link));
        }
        if (Holds(programs.Ingress, BpfDiagnosis.IngressProgram) && programs.Ingress[0] != BpfDiagnosis.IngressProgram)
        {
            yield return NotFirst.At(link.Name, Chain(programs.Ingress), Fill(NotFirst, link));
        }
        if (!Holds(programs.Egress, BpfDiagnosis.GuardProgram))
        {
            yield return NoGuard.At(link.Name, Chain(programs.Egress), Fill(NoGuard, link));
        }
    }

    private static bool Holds(IReadOnlyList<string> chain, string program)
    {
        foreach (var name in chain)
        {
            if (name == program)
            {
                return true;
            }
        }
        return false;
    }

    private static string Chain(IReadOnlyList<string> programs) => programs.Count == 0 ? "no program" : string.Join(", ", programs);

    private static string Fill(FindingKind kind, LinkFacts link) => kind.Mend!.Replace("DEVICE", link.Name, StringComparison.Ordinal);
}
