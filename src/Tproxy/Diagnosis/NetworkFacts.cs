using System.Collections.Generic;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Diagnosis;

/// <summary>One network namespace as it is configured. Immutable values; read by <see cref="NetworkDiagnosis"/>.</summary>
public sealed record NetworkFacts
{
    /// <summary>All devices.</summary>
    public IReadOnlyList<LinkFacts> Links { get; init; } = [];

    /// <summary>IPv4.</summary>
    public FamilyFacts V4 { get; init; } = new();

    /// <summary>IPv6.</summary>
    public FamilyFacts V6 { get; init; } = new();

    /// <summary>Below /proc/sys/net, such as <c>ipv4/conf/eth0/rp_filter</c>; what cannot be read is not there.</summary>
    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether a living process steers here (it holds the lock); null if that cannot be seen.</summary>
    public bool? HasOwner { get; init; }

    /// <summary>The rules that who steers, or steered last, wrote beside the lock; null if there are none, or none that can be read.</summary>
    public KnownRules? Written { get; init; }

    /// <summary>What could not be looked at, and why; one line each.</summary>
    public IReadOnlyList<string> Blind { get; init; } = [];
}

/// <summary>One device.</summary>
/// <param name="Kind">As <c>ip -d link</c>: veth, bridge, …; empty for hardware.</param>
/// <param name="Master">Bridge or bond it belongs to, or null.</param>
public sealed record LinkFacts(int Index, string Name, string Kind, string? Master, bool IsUp, int Mtu, bool IsLoopback = false);

/// <summary>One IP version.</summary>
public sealed record FamilyFacts
{
    /// <summary>Whether it is in use.</summary>
    public bool IsEnabled { get; init; } = true;

    /// <summary>By priority; null if they cannot be read.</summary>
    public IReadOnlyList<RuleFacts>? Rules { get; init; }

    /// <summary>Of the steering's routing table; null if they cannot be read.</summary>
    public IReadOnlyList<RouteFacts>? Table { get; init; }

    /// <summary>Default routes of the main table.</summary>
    public IReadOnlyList<RouteFacts> Defaults { get; init; } = [];

    /// <summary><c>iptables -t mangle -S</c>; null if it cannot be had.</summary>
    public string? Mangle { get; init; }
}

/// <summary>An ip rule.</summary>
/// <param name="Mark">Of <c>fwmark</c>, or null: any.</param>
/// <param name="Mask">Of <c>fwmark</c>.</param>
/// <param name="IsNarrow">It looks at more than the mark: addresses, devices, ports.</param>
/// <param name="Table">Its number.</param>
public sealed record RuleFacts(long Priority, uint? Mark, uint Mask, bool IsNarrow, string Table, string Raw);

/// <summary>A route.</summary>
/// <param name="Type">1 unicast, 2 local, as <c>ip -N</c> says it.</param>
public sealed record RouteFacts(string Type, string Destination, string Device);
