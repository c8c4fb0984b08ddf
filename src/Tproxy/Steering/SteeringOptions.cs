using System;
using System.Net;

namespace Postern.Tproxy.Steering;

/// <summary>Where and how the steering is installed. The defaults are Cilium's numbers.</summary>
public sealed record SteeringOptions
{
    public static readonly SteeringOptions Default = new();

    /// <summary>Priority of the ip rule that takes marked packets to <see cref="RouteTable"/>; before main (32766).</summary>
    public int RulePriority { get; init; } = 9;

    /// <summary>The routing table that makes every address local.</summary>
    public int RouteTable { get; init; } = 2004;

    /// <summary>The address the steered IPv4 listeners are bound to (or a wildcard covers).</summary>
    public IPAddress ListenerV4 { get; init; } = IPAddress.Loopback;

    public IPAddress ListenerV6 { get; init; } = IPAddress.IPv6Loopback;

    public ReturnPath ReturnPath { get; init; } = ReturnPath.Automatic;

    /// <summary>Set the sysctls that would break steering, instead of only naming them. They are not set back on removal.</summary>
    public bool MendSysctls { get; init; }

    /// <summary>Holds the lock file, one per network namespace. Must be writable.</summary>
    public string LockDirectory { get; init; } = "/run/postern";

    /// <summary>How long one command (iptables, ip) may take; another owner's lock is waited for as long, but not longer than 2 s.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Name in front of the iptables commands' suffixes, to choose a variant: <c>-nft</c> or <c>-legacy</c>. Empty: the system's default.</summary>
    public string IptablesVariant { get; init; } = string.Empty;

    /// <summary>What becomes of TCP connections that began before a rule covered them.</summary>
    public OlderConnections OlderConnections { get; init; } = OlderConnections.Cut;

    /// <summary>Where the BPF file system is or will be mounted; eBPF steering pins its maps and links under <c>postern/NETNS</c> in it.</summary>
    public string BpfRoot { get; init; } = "/sys/fs/bpf";

    public AttachMode Attach { get; init; } = AttachMode.Automatic;

    /// <summary>Priority of our filters of the clsact qdisc (<see cref="AttachMode.Clsact"/>), 1 to 65535; lower ones come first.</summary>
    public int ClsactPriority { get; init; } = 1;

    /// <summary>Connections that eBPF steering remembers (least recently used go), 1,024 to 4,194,304.</summary>
    public int FlowEntries { get; init; } = 65536;

    /// <summary>The steering program's object file; null: the one of this build. For tests of what becomes of one that cannot be had.</summary>
    internal byte[]? Program { get; init; }
}
