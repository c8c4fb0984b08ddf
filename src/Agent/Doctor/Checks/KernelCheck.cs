using System;
using System.Collections.Generic;
using System.Globalization;

namespace Postern.Agent.Doctor.Checks;

/// <summary>Version and configuration of the kernel.</summary>
public sealed class KernelCheck : INodeCheck
{
    private static readonly FindingKind Fine = new("kernel.fine", FindingLevel.Ok, "has what steering needs");
    private static readonly FindingKind TooOld = new("kernel.too-old-for-ebpf", FindingLevel.Warning, "bpf_sk_assign came with 5.7: only iptables can steer here", "use --steering iptables, or a newer kernel");
    private static readonly FindingKind NoTcx = new("kernel.no-tcx", FindingLevel.Info, "before 6.6 programs hang on the clsact qdisc, where another program may be in front of ours", "a kernel of 6.6 or newer");
    private static readonly FindingKind NoConfig = new("kernel.config-unknown", FindingLevel.Info, "neither /proc/config.gz nor /boot/config-RELEASE is there: options were not checked", "modprobe configs, if the kernel has it");
    private static readonly FindingKind Missing = new("kernel.config-missing", FindingLevel.Failure, "no kind of steering works without it", "a kernel with OPTION=y");
    private static readonly FindingKind MissingEbpf = new("kernel.config-missing-ebpf", FindingLevel.Warning, "eBPF steering does not work without it", "a kernel with OPTION=y, or --steering iptables");
    private static readonly FindingKind MissingIptables = new("kernel.config-missing-iptables", FindingLevel.Warning, "iptables steering does not work (fully) without it", "a kernel with OPTION=y or m, or --steering ebpf");
    private static readonly FindingKind NoBtf = new("kernel.no-btf", FindingLevel.Info, "the kernel does not describe its types (CONFIG_DEBUG_INFO_BTF); steering works without, tools show less");

    private static readonly string[] Needed = ["CONFIG_INET", "CONFIG_IP_MULTIPLE_TABLES"];
    private static readonly string[] NeededByEbpf = ["CONFIG_BPF_SYSCALL", "CONFIG_NET_CLS_ACT", "CONFIG_NET_SCH_INGRESS", "CONFIG_BPF_JIT"];
    private static readonly string[] NeededByIptables =
        ["CONFIG_NETFILTER_XT_TARGET_TPROXY", "CONFIG_NF_TPROXY_IPV4", "CONFIG_NF_TPROXY_IPV6", "CONFIG_NETFILTER_XT_MATCH_SOCKET", "CONFIG_NETFILTER_XT_CONNMARK"];

    public IReadOnlyList<FindingKind> Kinds => [Fine, TooOld, NoTcx, NoConfig, Missing, MissingEbpf, MissingIptables, NoBtf];

    public IEnumerable<Finding> Check(NodeFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var kernel = facts.Kernel;
        var bad = false;
        if (!IsAtLeast(kernel.Release, 5, 7))
        {
            bad = true;
            yield return TooOld.At("kernel", kernel.Release);
        }
        else if (!IsAtLeast(kernel.Release, 6, 6))
        {
            yield return NoTcx.At("kernel", kernel.Release);
        }
        if (kernel.Config is null)
        {
            yield return NoConfig.At("kernel configuration", "not kept");
        }
        else
        {
            foreach (var (options, kind) in new[] { (Needed, Missing), (NeededByEbpf, MissingEbpf), (NeededByIptables, MissingIptables) })
            {
                foreach (var option in options)
                {
                    if (!Has(kernel.Config, option))
                    {
                        bad = true;
                        yield return kind.At(option, "not set", kind.Mend!.Replace("OPTION", option, StringComparison.Ordinal));
                    }
                }
            }
        }
        if (!kernel.HasBtf)
        {
            yield return NoBtf.At("/sys/kernel/btf/vmlinux", "absent");
        }
        if (!bad)
        {
            yield return Fine.At("kernel", kernel.Release);
        }
    }

    /// <summary>Whether a release such as 6.1.0-18-amd64 is that version or a later one; one that cannot be read is taken for old.</summary>
    internal static bool IsAtLeast(string release, int major, int minor)
    {
        var parts = release.Split('.', '-', '+');
        return parts.Length >= 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var second)
            && (first > major || (first == major && second >= minor));
    }

    private static bool Has(string config, string option) =>
        ("\n" + config).Contains($"\n{option}=y", StringComparison.Ordinal) || ("\n" + config).Contains($"\n{option}=m", StringComparison.Ordinal);
}
