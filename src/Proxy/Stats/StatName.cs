using System.Collections.Generic;

namespace Postern.Proxy.Stats;

/// <summary>What a stat is called.</summary>
/// <param name="Dotted">As in <c>/stats</c>: <c>cluster.echo.upstream_rq_2xx</c>.</param>
/// <param name="Family">The same without what the labels say: <c>cluster.upstream_rq_xx</c>. All stats of a family are of one kind.</param>
/// <param name="Labels">In order, each name once.</param>
internal sealed record StatName(string Dotted, string Family, IReadOnlyList<StatLabel> Labels)
{
    private static readonly string[] ClassLabelSuffixes = ["_1xx", "_2xx", "_3xx", "_4xx", "_5xx"];

    /// <summary>A name without labels.</summary>
    public static StatName Plain(string dotted) => new(dotted, dotted, []);

    /// <summary>The name of a stat in a scope; <c>…_2xx</c> becomes the family <c>…_xx</c> with the label <c>envoy_response_code_class</c>, as in Envoy.</summary>
    public static StatName Within(ScopeName scope, string leaf)
    {
        var dotted = scope.Dotted + "." + leaf;
        foreach (var suffix in ClassLabelSuffixes)
        {
            if (leaf.EndsWith(suffix, System.StringComparison.Ordinal))
            {
                return new StatName(dotted, $"{scope.Family}.{leaf[..^4]}_xx", [new StatLabel("envoy_response_code_class", suffix[1..2]), .. scope.Labels]);
            }
        }
        return new StatName(dotted, scope.Family + "." + leaf, scope.Labels);
    }
}

/// <summary>What the stats of one owner begin with.</summary>
/// <param name="Dotted">Like <c>cluster.echo</c>.</param>
/// <param name="Family">Like <c>cluster</c>.</param>
/// <param name="Labels">Like <c>envoy_cluster_name=echo</c>.</param>
internal sealed record ScopeName(string Dotted, string Family, IReadOnlyList<StatLabel> Labels)
{
    /// <summary>A family with one label, whose value is also the rest of the name.</summary>
    public static ScopeName Tagged(string family, string label, string value) => new($"{family}.{value}", family, [new StatLabel(label, value)]);
}

/// <summary>One Prometheus label: a name of ours, and a value that may hold anything.</summary>
internal readonly record struct StatLabel(string Name, string Value);
