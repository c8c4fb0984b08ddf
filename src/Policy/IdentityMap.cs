using System.Collections.Generic;
using System.Net;
using Postern.Policy.Config;

namespace Postern.Policy;

/// <summary>IP → identity by longest prefix (NPHDS), compiled and immutable.</summary>
public sealed class IdentityMap
{
    /// <summary>Knows nobody: everyone is <see cref="Identities.World"/>.</summary>
    public static readonly IdentityMap Empty = new();

    /// <summary>The identity of the longest prefix that covers <paramref name="address"/>, or <see cref="Identities.Unknown"/>. IPv4-mapped IPv6 is looked up as IPv4.</summary>
    public uint Find(IPAddress address) => throw new System.NotImplementedException();

    /// <summary>Compiles a full (SotW) set.</summary>
    /// <exception cref="PolicyConfigException">The update is refused as a whole.</exception>
    public static IdentityMap Compile(IReadOnlyList<NetworkPolicyHostsConfig> resources) => throw new System.NotImplementedException();
}
