using System.Net;

namespace Postern.Xds.Config;

/// <summary><c>cilium.bpf_metadata</c> (bpf_metadata.proto), validated.</summary>
public sealed record BpfMetadataConfig : ListenerFilterConfig
{
    /// <summary>Field 2.</summary>
    public bool IsIngress { get; init; }

    /// <summary>Field 3: keep the client's address on upstream connections.</summary>
    public bool UseOriginalSourceAddress { get; init; }

    /// <summary>Field 4: the listener of an L7 load balancer. Never with <see cref="IsIngress"/>.</summary>
    public bool IsL7Lb { get; init; }

    /// <summary>Field 7: a north/south load balancer enforces its Ingress policy, too.</summary>
    public bool EnforcePolicyOnL7Lb { get; init; }

    /// <summary>Field 10: the name of that policy; empty for the Ingress IP.</summary>
    public string L7LbPolicyName { get; init; } = "";

    /// <summary>Field 5, or null.</summary>
    public IPAddress? Ipv4SourceAddress { get; init; }

    /// <summary>Field 6, or null.</summary>
    public IPAddress? Ipv6SourceAddress { get; init; }

    /// <summary>Field 8.</summary>
    public uint ProxyId { get; init; }

    /// <summary>Field 11: null leaves SO_LINGER alone; 0 resets on close. Seconds.</summary>
    public uint? OriginalSourceSoLingerTime { get; init; }

    /// <summary>Field 13.</summary>
    public bool UseNphds { get; init; }

    /// <summary>Field 16: where NetworkPolicy and NetworkPolicyHosts resources come from.</summary>
    public required ConfigSourceConfig PolicySource { get; init; }
}
