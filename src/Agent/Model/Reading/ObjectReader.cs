using System;
using System.Collections.Generic;
using Postern.Xds.Text;

namespace Postern.Agent.Model.Reading;

/// <summary>One document: apiVersion and kind say what it is, metadata how it is called, the rest is the kind's own.</summary>
internal static class ObjectReader
{
    private static readonly Dictionary<string, (string ApiVersion, Func<FieldCursor, ObjectMetadata, NodeObject> Read)> Kinds = new(StringComparer.Ordinal)
    {
        ["CiliumNetworkPolicy"] = ("cilium.io/v2", PolicyReader.Read),
        ["CiliumClusterwideNetworkPolicy"] = ("cilium.io/v2", PolicyReader.Read),
        ["CiliumEnvoyConfig"] = ("cilium.io/v2", EnvoyConfigReader.Read),
        ["CiliumClusterwideEnvoyConfig"] = ("cilium.io/v2", EnvoyConfigReader.Read),
        ["Endpoint"] = ("postern.io/v1", EndpointReader.Read),
        ["Service"] = ("v1", ServiceReader.Read),
        ["Secret"] = ("v1", SecretReader.Read),
        ["Namespace"] = ("v1", NamespaceReader.Read),
    };

    /// <summary>The object, or null when there is a problem.</summary>
    public static NodeObject? Read(ConfigNode document, DocumentProblems problems)
    {
        var root = new FieldCursor(document, "", problems);
        var kindField = root.Required("kind");
        var kind = kindField?.Text() ?? "";
        var versionField = root.Required("apiVersion");
        var version = versionField?.Text() ?? "";
        if (kindField is null || versionField is null)
        {
            return null;
        }
        if (!Kinds.TryGetValue(kind, out var known))
        {
            kindField.Refuse($"unknown kind {Printable.Quote(kind)}; there are {string.Join(", ", Kinds.Keys)}", NearMiss.Find(kind, Kinds.Keys));
            return null;
        }
        if (version != known.ApiVersion)
        {
            versionField.Refuse($"expected {known.ApiVersion} for kind {kind}, found {Printable.Quote(version)}");
            return null;
        }
        if (ObjectMetadata.Read(root, kind) is not { } metadata)
        {
            return null;
        }
        root.Ignore("status");
        var read = known.Read(root, metadata);
        root.RefuseUnknown();
        return problems.Problems.Count == 0 ? read : null;
    }
}
