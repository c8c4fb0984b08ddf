namespace Postern.Policy.Config;

/// <summary>One <c>cilium.NetworkPolicyHosts</c> resource. Source: nphds.proto.</summary>
/// <param name="Policy">The security identity.</param>
/// <param name="HostAddresses">Addresses and CIDRs, v4 or v6.</param>
public sealed record NetworkPolicyHostsConfig(ulong Policy, EquatableList<string> HostAddresses);
