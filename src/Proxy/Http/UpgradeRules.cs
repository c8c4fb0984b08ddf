using System;

namespace Postern.Proxy.Http;

/// <summary>Which protocols a request may change to (<c>upgrade_configs</c>); <c>CONNECT</c> counts as one.</summary>
/// <param name="Allowed">Their names; null for none.</param>
internal readonly record struct UpgradeRules(string[]? Allowed)
{
    /// <summary>Whether this one is allowed; names are compared without case.</summary>
    public bool Allows(ReadOnlySpan<char> protocol)
    {
        foreach (var name in Allowed ?? [])
        {
            if (protocol.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }
        return false;
    }
}
