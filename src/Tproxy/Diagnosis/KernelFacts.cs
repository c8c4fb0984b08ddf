using System.Collections.Generic;

namespace Postern.Tproxy.Diagnosis;

/// <summary>What this kernel is and has, and what this process may. Immutable values; read by <see cref="KernelDiagnosis"/>.</summary>
public sealed record KernelFacts
{
    /// <summary>As <c>uname -r</c>.</summary>
    public string Release { get; init; } = string.Empty;

    /// <summary>The text of the kernel's configuration, or null when nobody keeps it.</summary>
    public string? Config { get; init; }

    /// <summary>Whether the kernel describes its types (<c>/sys/kernel/btf/vmlinux</c>).</summary>
    public bool HasBtf { get; init; }

    /// <summary>Effective capabilities of this process, bit n is capability n.</summary>
    public ulong Capabilities { get; init; }

    /// <summary>Loaded modules; built-in ones are not among them.</summary>
    public IReadOnlySet<string> Modules { get; init; } = new HashSet<string>();

    /// <summary>Targets and matches that the kernel's x_tables lists, upper and lower case as there; empty when it does not.</summary>
    public IReadOnlySet<string> Xtables { get; init; } = new HashSet<string>();

    /// <summary>Null if libbpf.so.1 can be loaded, else why not.</summary>
    public string? LibbpfFault { get; init; }

    /// <summary>Where a BPF file system is mounted, or null.</summary>
    public string? BpfMount { get; init; }

    /// <summary>Of ip, iptables, ip6tables and their -restore: those that are not installed.</summary>
    public IReadOnlyList<string> MissingCommands { get; init; } = [];
}
