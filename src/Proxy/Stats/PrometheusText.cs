using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Postern.Proxy.Stats;

/// <summary>
/// Stats in Prometheus' text format 0.0.4, with Envoy's names: <c>envoy_</c> and the family with underscores; what names a listener, cluster or
/// prefix is a label. Stats of Postern's own begin with <c>postern_</c>.
/// </summary>
internal static class PrometheusText
{
    /// <summary>The content type of the format.</summary>
    public const string ContentType = "text/plain; version=0.0.4";

    private const string OwnPrefix = "postern.";

    /// <summary>Blocks of text, one per stat; a block may hold the TYPE line of its family.</summary>
    public static IEnumerable<string> Write(IReadOnlyList<StatSample> samples)
    {
        var named = new List<(string Name, StatSample Sample)>(samples.Count);
        foreach (var sample in samples)
        {
            if (sample.Kind != StatKind.Text)
            {
                named.Add((NameOf(sample.Name.Family), sample));
            }
        }
        named.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name) is not 0 and var order ? order : string.CompareOrdinal(a.Sample.Name.Dotted, b.Sample.Name.Dotted));
        var text = new StringBuilder();
        var family = "";
        var kind = StatKind.Counter;
        foreach (var (name, sample) in named)
        {
            text.Clear();
            if (name != family)
            {
                family = name;
                kind = sample.Kind;
                text.Append("# TYPE ").Append(name).Append(' ').Append(KindName(kind)).Append('\n');
            }
            else if (sample.Kind != kind)
            {
                continue; // a family has one kind; two that differ only in dots would break every reader
            }
            Append(text, name, sample);
            yield return text.ToString();
        }
    }

    private static void Append(StringBuilder text, string name, StatSample sample)
    {
        if (sample.Histogram is not { } histogram)
        {
            AppendLine(text, name, sample.Name.Labels, null, sample.Value);
            return;
        }
        var bounds = Histogram.UpperBounds;
        for (var i = 0; i < histogram.Cumulative.Length; i++)
        {
            var bound = i < bounds.Length ? bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf";
            AppendLine(text, name + "_bucket", sample.Name.Labels, bound, histogram.Cumulative[i]);
        }
        AppendLine(text, name + "_sum", sample.Name.Labels, null, histogram.Sum);
        AppendLine(text, name + "_count", sample.Name.Labels, null, histogram.Count);
    }

    private static void AppendLine(StringBuilder text, string name, IReadOnlyList<StatLabel> labels, string? bound, long value)
    {
        text.Append(name).Append('{');
        for (var i = 0; i < labels.Count; i++)
        {
            text.Append(i == 0 ? "" : ",").Append(labels[i].Name).Append("=\"");
            AppendEscaped(text, labels[i].Value);
            text.Append('"');
        }
        if (bound is not null)
        {
            text.Append(labels.Count == 0 ? "" : ",").Append("le=\"").Append(bound).Append('"');
        }
        text.Append("} ").Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static void AppendEscaped(StringBuilder text, string value)
    {
        foreach (var c in value)
        {
            _ = c switch
            {
                '\\' => text.Append("\\\\"),
                '"' => text.Append("\\\""),
                '\n' => text.Append("\\n"),
                _ when char.IsControl(c) => text.Append('\uFFFD'), // allowed by the format, but no reader and no terminal is glad of it
                _ => text.Append(c),
            };
        }
    }

    private static string NameOf(string family)
    {
        var name = new StringBuilder(family.StartsWith(OwnPrefix, StringComparison.Ordinal) ? "" : "envoy_");
        foreach (var c in family)
        {
            name.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
        }
        return name.ToString();
    }

    private static string KindName(StatKind kind) => kind switch
    {
        StatKind.Gauge => "gauge",
        StatKind.Histogram => "histogram",
        _ => "counter",
    };
}
