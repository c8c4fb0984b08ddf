using System;

namespace Postern.Agent.Model;

/// <summary>A label with its source, as Cilium writes it: <c>k8s:org=empire</c>, <c>reserved:world</c>.</summary>
/// <param name="Source"><c>k8s</c>, <c>reserved</c>, <c>cidr</c>; in selectors also <c>any</c>.</param>
/// <param name="Key">Without the source.</param>
/// <param name="Value">May be empty.</param>
public readonly record struct Label(string Source, string Key, string Value)
{
    /// <summary>Source of what Kubernetes objects say.</summary>
    public const string Kubernetes = "k8s";

    /// <summary>Source of Cilium's own identities.</summary>
    public const string Reserved = "reserved";

    /// <summary>In a selector: whatever the source.</summary>
    public const string Any = "any";

    /// <summary>Key of the namespace of an endpoint.</summary>
    public const string NamespaceKey = "io.kubernetes.pod.namespace";

    /// <summary>Prefix of the labels that an endpoint has from its namespace.</summary>
    public const string NamespaceLabelPrefix = "io.cilium.k8s.namespace.labels.";

    /// <summary>Splits <c>source:key</c>; without a source it is <see cref="Any"/>.</summary>
    public static (string Source, string Key) SplitKey(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon <= 0 ? (Any, text) : (text[..colon], text[(colon + 1)..]);
    }

    /// <summary>Reads <c>[source:]key[=value]</c>.</summary>
    public static Label Parse(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var (source, key) = SplitKey(equals < 0 ? text : text[..equals]);
        return new Label(source, key, equals < 0 ? "" : text[(equals + 1)..]);
    }

    /// <inheritdoc/>
    public override string ToString() => Value.Length == 0 ? $"{Source}:{Key}" : $"{Source}:{Key}={Value}";
}
