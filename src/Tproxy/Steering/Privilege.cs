using System;
using System.Globalization;
using System.IO;

namespace Postern.Tproxy.Steering;

/// <summary>Whether this process, and the commands it starts, may change the network.</summary>
internal static class Privilege
{
    private const int CapNetAdmin = 12;
    private const int CapSysAdmin = 21;
    private const int CapPerfmon = 38;
    private const int CapBpf = 39;

    /// <exception cref="TproxyException">The capability is missing, or commands would not inherit it.</exception>
    internal static void DemandNetAdmin()
    {
        var status = File.ReadAllText("/proc/thread-self/status");
        if (!Has(status, "CapEff"))
        {
            throw new TproxyException($"steering needs CAP_NET_ADMIN, which this process lacks; {ListenerFault.CapabilityMend}, or run without steering");
        }

        // A process of another user hands capabilities on to iptables and ip only through the ambient set.
        if (Field(status, "Uid").Split('\t', StringSplitOptions.RemoveEmptyEntries) is not [_, "0", ..] && !Has(status, "CapAmb"))
        {
            throw new TproxyException("steering needs CAP_NET_ADMIN also for the iptables and ip commands it starts, but it is not in the ambient set; run as root, or use systemd's AmbientCapabilities=CAP_NET_ADMIN instead of file capabilities");
        }
    }

    /// <exception cref="TproxyException">The right to load BPF programs is missing.</exception>
    internal static void DemandBpf()
    {
        if (!HasBpf())
        {
            throw new TproxyException("eBPF steering needs CAP_BPF and CAP_PERFMON, of which this process lacks one; run as root, give systemd's AmbientCapabilities=CAP_BPF CAP_PERFMON CAP_NET_ADMIN CAP_SYS_ADMIN (the last to mount the BPF file system), or steer with iptables (--steering iptables)");
        }
    }

    internal static bool HasBpf()
    {
        var status = File.ReadAllText("/proc/thread-self/status");
        return (Has(status, "CapEff", CapBpf) && Has(status, "CapEff", CapPerfmon)) || Has(status, "CapEff", CapSysAdmin);
    }

    internal static bool HasNetAdmin() => Has(File.ReadAllText("/proc/thread-self/status"), "CapEff");

    internal static bool Has(string status, string set) => Has(status, set, CapNetAdmin);

    private static bool Has(string status, string set, int capability) =>
        ulong.TryParse(Field(status, set).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits)
        && (bits >> capability & 1) == 1;

    private static string Field(string status, string name)
    {
        foreach (var line in status.Split('\n'))
        {
            if (line.StartsWith(name + ":", StringComparison.Ordinal))
            {
                return line[(name.Length + 1)..];
            }
        }

        return string.Empty;
    }
}
