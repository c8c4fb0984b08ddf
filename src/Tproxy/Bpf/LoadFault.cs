using System;
using System.Collections.Generic;

namespace Postern.Tproxy.Bpf;

/// <summary>One line for the operator from what libbpf and the verifier said.</summary>
internal static class LoadFault
{
    internal const string NoLibrary =
        "eBPF steering needs libbpf.so.1, which is not here or cannot be loaded; install the package libbpf1 (apt-get install libbpf1), or steer with iptables (--steering iptables)";

    private const int NotPermitted = 1; // EPERM
    private const int NoSuchCall = 38; // ENOSYS

    /// <summary>The object could not be opened: nothing of the kernel's doing.</summary>
    internal static string Open(int errno, IReadOnlyList<string> lines)
    {
        foreach (var line in lines)
        {
            if (line.Contains("BTF", StringComparison.Ordinal))
            {
                return $"the steering program holds no BTF that can be read ({line}); build it with clang -g, and do not strip it";
            }
        }

        return $"the steering program is no BPF object ({(lines.Count > 0 ? lines[0] : BpfMap.Because(-errno))}); build Postern.Tproxy again";
    }

    /// <param name="errno">Of bpf_object__load.</param>
    /// <param name="lines">What libbpf printed meanwhile.</param>
    internal static string Load(int errno, IReadOnlyList<string> lines)
    {
        if (errno == NotPermitted)
        {
            return "no right to load the steering program: CAP_BPF and CAP_NET_ADMIN are needed (before Linux 5.8 CAP_SYS_ADMIN); run as root, or give systemd's "
                + "AmbientCapabilities=CAP_BPF CAP_NET_ADMIN; before Linux 5.11 a low memory lock limit ends so too (LimitMEMLOCK=infinity)";
        }

        if (errno == NoSuchCall)
        {
            return $"this kernel ({Kernel}) has no bpf(2), CONFIG_BPF_SYSCALL; steer with iptables (--steering iptables)";
        }

        if (Find(lines, "': failed to create") is { } map)
        {
            return $"this kernel ({Kernel}) does not make a map that steering needs ({map}); maps of maps, LPM tries and LRU hashes are needed, and memory for FlowEntries; steer with iptables (--steering iptables)";
        }

        if (Find(lines, "unknown func") is { } unknown)
        {
            return LacksHelper(unknown);
        }

        if (Find(lines, "cannot use helper") is { } unusable)
        {
            return LacksHelper(unusable);
        }

        return Reason(lines) is { } reason
            ? $"the kernel's verifier ({Kernel}) refuses the steering program: {reason}; its whole log is in the log; steer with iptables (--steering iptables) and report it"
            : $"cannot load the steering program: {BpfMap.Because(-errno)}{(lines.Count > 0 ? $" ({lines[^1]})" : string.Empty)}";
    }

    private static string Kernel => "Linux " + Environment.OSVersion.Version;

    private static string LacksHelper(string line) =>
        $"this kernel ({Kernel}) lacks a helper that steering needs ({line.Trim()}); Linux 5.7 or newer has them; steer with iptables (--steering iptables)";

    private static string? Find(IReadOnlyList<string> lines, string part)
    {
        foreach (var line in lines)
        {
            if (line.Contains(part, StringComparison.Ordinal))
            {
                return line;
            }
        }

        return null;
    }

    /// <summary>The verifier's last words stand before its statistics.</summary>
    private static string? Reason(IReadOnlyList<string> lines)
    {
        for (var i = 1; i < lines.Count; i++)
        {
            if (lines[i].StartsWith("processed ", StringComparison.Ordinal))
            {
                return lines[i - 1].Trim();
            }
        }

        return null;
    }
}
