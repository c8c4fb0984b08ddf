using System;
using System.Collections.Generic;

namespace Postern.Agent.Doctor.Checks;

/// <summary>Commands, libraries, file systems and x_tables modules.</summary>
public sealed class ToolCheck : INodeCheck
{
    private static readonly FindingKind Fine = new("tool.fine", FindingLevel.Ok, "everything that steering calls is installed");
    private static readonly FindingKind NoCommand = new("tool.no-ip", FindingLevel.Failure, "no kind of steering works without it", "install iproute2");
    private static readonly FindingKind NoIptables = new("tool.no-iptables", FindingLevel.Warning, "iptables steering does not work without it", "install iptables, or use --steering ebpf");
    private static readonly FindingKind NoLibbpf = new("tool.no-libbpf", FindingLevel.Warning, "eBPF steering does not work without it", "install libbpf1 (libbpf.so.1), or use --steering iptables");
    private static readonly FindingKind NoBpffs = new("tool.no-bpffs", FindingLevel.Info, "programs and maps of eBPF steering have nowhere to outlive the agent; an agent with CAP_SYS_ADMIN mounts it", "mount -t bpf bpf /sys/fs/bpf");
    private static readonly FindingKind NoModule = new("tool.no-xt-module", FindingLevel.Info, "neither built in nor loaded; the kernel loads it on demand if it is installed", "modprobe MODULE");

    // Name as x_tables lists it once registered, module, and its option.
    private static readonly (string Listed, string Module, string Option)[] Modules =
    [
        ("TPROXY", "xt_TPROXY", "CONFIG_NETFILTER_XT_TARGET_TPROXY"),
        ("socket", "xt_socket", "CONFIG_NETFILTER_XT_MATCH_SOCKET"),
        ("connmark", "xt_connmark", "CONFIG_NETFILTER_XT_CONNMARK"),
        ("comment", "xt_comment", "CONFIG_NETFILTER_XT_MATCH_COMMENT"),
    ];

    public IReadOnlyList<FindingKind> Kinds => [Fine, NoCommand, NoIptables, NoLibbpf, NoBpffs, NoModule];

    public IEnumerable<Finding> Check(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var kernel = facts.Kernel;
        var all = true;
        foreach (var command in kernel.MissingCommands)
        {
            all = false;
            yield return (command == "ip" ? NoCommand : NoIptables).At(command, "not installed");
        }
        if (kernel.LibbpfFault is { } fault)
        {
            all = false;
            yield return NoLibbpf.At("libbpf.so.1", fault);
        }
        if (kernel.BpfMount is null)
        {
            all = false;
            yield return NoBpffs.At(facts.Options.BpfRoot, "not mounted", $"mount -t bpf bpf {facts.Options.BpfRoot}");
        }
        foreach (var (listed, module, option) in Modules)
        {
            var isBuiltIn = kernel.Config is { } config && ("\n" + config).Contains($"\n{option}=y", StringComparison.Ordinal);
            if (!isBuiltIn && !kernel.Xtables.Contains(listed) && !kernel.Modules.Contains(module))
            {
                all = false;
                yield return NoModule.At(module, "not there", $"modprobe {module}");
            }
        }
        if (all)
        {
            yield return Fine.At("commands, libraries, modules", $"all there; BPF file system on {kernel.BpfMount}");
        }
    }
}
