using System;

namespace Postern.Xds;

/// <summary>What a resource file may hold.</summary>
[Flags]
public enum ResourceKinds
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><c>envoy.config.listener.v3.Listener</c>.</summary>
    Listener = 1,

    /// <summary><c>envoy.config.cluster.v3.Cluster</c>.</summary>
    Cluster = 2,

    /// <summary><c>cilium.NetworkPolicy</c>.</summary>
    NetworkPolicy = 4,

    /// <summary><c>cilium.NetworkPolicyHosts</c>.</summary>
    NetworkPolicyHosts = 8,

    /// <summary>What one <c>cilium_config_source</c> serves: policies and hosts, mixed.</summary>
    Policy = NetworkPolicy | NetworkPolicyHosts,
}
