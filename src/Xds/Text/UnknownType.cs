using System;
using System.Collections.Generic;

namespace Postern.Xds.Text;

/// <summary>What to say about a <c>@type</c> that is not built in.</summary>
internal static class UnknownType
{
    private static readonly Dictionary<string, string> NotBuiltIn = new(StringComparer.Ordinal)
    {
        ["envoy.extensions.filters.http.rbac.v3.RBAC"] = "RBAC is not built in yet; write the permission as policy (cilium.l7policy)",
        ["envoy.extensions.filters.network.rbac.v3.RBAC"] = "RBAC is not built in yet; write the permission as policy (cilium.network)",
    };

    /// <summary>One line for the error.</summary>
    public static string Explain(string fullName)
    {
        if (NotBuiltIn.TryGetValue(fullName, out var hint))
        {
            return $"{fullName}: {hint}";
        }
        var near = NearMiss.Find(fullName, MessageTypes.Names);
        var mend = near is null ? "docs/config.md lists what is built in" : $"did you mean type.googleapis.com/{Printable.Clip(near)}?";
        return $"unknown type {Printable.Quote(fullName)}; {mend}";
    }
}
