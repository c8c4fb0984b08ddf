using System.Collections.Generic;
using System.Linq;

namespace Postern.Agent.Model.Reading;

/// <summary>endpointSelector, fromEndpoints, toEndpoints.</summary>
internal static class SelectorReader
{
    /// <summary>As written, without defaults.</summary>
    public static LabelSelector Read(FieldCursor field)
    {
        var requirements = new List<LabelRequirement>();
        foreach (var (name, value) in field.Field("matchLabels")?.Members() ?? [])
        {
            var (source, key) = Label.SplitKey(name);
            requirements.Add(LabelRequirement.Is(source, key, value.Text()));
        }
        foreach (var item in field.Field("matchExpressions")?.Items() ?? [])
        {
            var (source, key) = Label.SplitKey(item.Required("key")?.Text() ?? "");
            var word = item.Required("operator")?.Choice("In", "NotIn", "Exists", "DoesNotExist") ?? "In";
            var values = item.Field("values")?.Items().Select(value => value.Text()).ToList() ?? [];
            item.RefuseUnknown();
            var valued = word is "In" or "NotIn";
            if (valued != (values.Count > 0))
            {
                item.Refuse(valued ? $"{word} needs values" : $"{word} has no values; remove them");
            }
            requirements.Add(new LabelRequirement(source, key, System.Enum.Parse<SelectorOperator>(word), values));
        }
        field.RefuseUnknown();
        return new LabelSelector(requirements);
    }

    /// <summary>
    /// The endpoints that a policy is for. Those of a namespaced policy are in its namespace, whatever the selector says.
    /// </summary>
    public static LabelSelector ReadSubject(FieldCursor field, string policyNamespace)
    {
        var selector = Read(field);
        return policyNamespace.Length == 0
            ? selector
            : selector.And(LabelRequirement.Is(Label.Kubernetes, Label.NamespaceKey, policyNamespace));
    }

    /// <summary>
    /// The other side. Unless the selector says something about namespaces, or about reserved labels, it means the policy's own namespace;
    /// in a clusterwide policy any endpoint that has a namespace, so that an empty selector does not reach the world.
    /// </summary>
    public static LabelSelector ReadPeer(FieldCursor field, string policyNamespace)
    {
        var selector = Read(field);
        var saysNamespace = selector.Names(Label.NamespaceKey, Label.Kubernetes, Label.Any)
            || selector.Requirements.Any(one => one.Key.StartsWith(Label.NamespaceLabelPrefix, System.StringComparison.Ordinal));
        if (saysNamespace)
        {
            return selector;
        }
        if (policyNamespace.Length > 0)
        {
            return selector.And(LabelRequirement.Is(Label.Kubernetes, Label.NamespaceKey, policyNamespace));
        }
        return selector.Requirements.Any(one => one.Source == Label.Reserved)
            ? selector
            : selector.And(new LabelRequirement(Label.Kubernetes, Label.NamespaceKey, SelectorOperator.Exists, []));
    }
}
