using System;
using System.Collections.Generic;
using Postern.Xds.Config;

namespace Postern.Proxy.Http;

/// <summary>
/// <c>upgrade_configs</c>, compiled: what a connection may become, by an <c>Upgrade</c> of HTTP/1.1, the <c>:protocol</c> of RFC 8441, or by CONNECT (as
/// <c>CONNECT</c>). What is not named is refused. Names compare without case.
/// </summary>
internal readonly struct UpgradeRules
{
    /// <summary>Nothing is allowed.</summary>
    public static readonly UpgradeRules None;

    private readonly string[]? allowed;
    private readonly string[]? refused;

    public UpgradeRules(IReadOnlyList<UpgradeConfig> configs)
    {
        var yes = new List<string>();
        var no = new List<string>();
        foreach (var config in configs)
        {
            (config.Enabled ? yes : no).Add(config.UpgradeType);
        }
        allowed = yes.Count > 0 ? [.. yes] : null;
        refused = no.Count > 0 ? [.. no] : null;
    }

    /// <summary>Anything is allowed.</summary>
    public bool Any => allowed is not null;

    /// <summary>Whether that protocol may be changed to.</summary>
    public bool Allows(ReadOnlySpan<char> protocol) => Holds(allowed, protocol);

    /// <summary>What this says, or what <paramref name="general"/> says where this does not name it.</summary>
    public bool AllowsOver(UpgradeRules general, ReadOnlySpan<char> protocol) =>
        Holds(allowed, protocol) || (!Holds(refused, protocol) && general.Allows(protocol));

    private static bool Holds(string[]? names, ReadOnlySpan<char> protocol)
    {
        foreach (var name in names ?? [])
        {
            if (protocol.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }
        return false;
    }
}
