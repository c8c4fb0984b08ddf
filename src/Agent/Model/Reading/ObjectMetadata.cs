using System;
using System.Collections.Generic;

namespace Postern.Agent.Model.Reading;

/// <summary>metadata of an object.</summary>
internal sealed record ObjectMetadata(ObjectKey Key, ObjectSource Source, IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, string> Annotations)
{
    private const string DefaultNamespace = "default";
    private const int MaxName = 253;

    public static ObjectMetadata? Read(FieldCursor root, string kind)
    {
        if (root.Required("metadata") is not { } field)
        {
            return null;
        }
        var clusterwide = kind is "Namespace" or "CiliumClusterwideNetworkPolicy" or "CiliumClusterwideEnvoyConfig";
        var name = field.Required("name") is { } nameField ? Name(nameField) : "";
        var space = clusterwide ? "" : DefaultNamespace;
        if (field.Field("namespace") is { } spaceField)
        {
            if (clusterwide)
            {
                spaceField.Refuse($"{kind} has no namespace; remove it");
            }
            else
            {
                space = Name(spaceField);
            }
        }
        var labels = field.Field("labels") is { } labelField ? Map(labelField) : [];
        var annotations = field.Field("annotations")?.TextMap() ?? [];
        // What a server puts there.
        field.Ignore("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "ownerReferences", "finalizers", "selfLink");
        field.RefuseUnknown();
        return name.Length == 0 ? null : new ObjectMetadata(new ObjectKey(kind, space, name), new ObjectSource(root.Problems.File, root.Node.Line), labels, annotations);
    }

    /// <summary>A name of Kubernetes: it becomes part of resource names, so slashes and spaces have no place in it.</summary>
    public static string Name(FieldCursor field)
    {
        var name = field.Text();
        var fits = name.Length is > 0 and <= MaxName && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1]);
        foreach (var c in name)
        {
            fits &= char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_';
        }
        if (!fits && field.Node.Kind == Xds.Text.ConfigNodeKind.String)
        {
            field.Refuse("is no name: 1 to 253 letters, digits, '-', '.' or '_', a letter or digit at both ends");
        }
        return fits ? name : "";
    }

    private static Dictionary<string, string> Map(FieldCursor field)
    {
        var map = field.TextMap();
        foreach (var (key, value) in map)
        {
            if (key.Length == 0 || key.AsSpan().IndexOfAny(":=;, ") >= 0 || value.AsSpan().IndexOfAny(":=;, ") >= 0)
            {
                field.Refuse("a label's name and value have none of ':', '=', ';', ',' and space; its source is k8s");
                break;
            }
        }
        return map;
    }
}
