using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Postern.Proxy.Stats;

namespace Postern.Proxy.Admin.Pages;

/// <summary><c>/stats</c> and <c>/stats/prometheus</c>: <c>usedonly</c>, <c>filter</c> (RE2, a part of the dotted name), <c>format</c>.</summary>
internal sealed class StatsPage(StatsRegistry stats)
{
    /// <summary>Envoy's, in per cent.</summary>
    public static readonly double[] Quantiles = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100];

    public Task ServeAsync(HttpContext context) => context.Parameter("format") switch
    {
        null or "" or "text" => WriteAsync(context, "text/plain; charset=UTF-8", Lines(Select(context))),
        "json" => StatsJson.WriteAsync(context, Select(context)),
        "prometheus" => ServePrometheusAsync(context),
        _ => throw new BadQueryException("format: text, json or prometheus"),
    };

    public Task ServePrometheusAsync(HttpContext context) => WriteAsync(context, PrometheusText.ContentType, PrometheusText.Write(Select(context)));

    private static async Task WriteAsync(HttpContext context, string contentType, IEnumerable<string> pieces)
    {
        await using var text = context.BeginText(contentType);
        foreach (var piece in pieces)
        {
            await text.WriteAsync(piece).ConfigureAwait(false);
        }
    }

    private List<StatSample> Select(HttpContext context)
    {
        var names = NamePattern.Part(context, "filter");
        var usedOnly = context.Request.Query.ContainsKey("usedonly");
        var selected = new List<StatSample>();
        foreach (var sample in stats.Read())
        {
            if ((!usedOnly || sample.IsUsed) && (names is null || names.Matches(sample.Name.Dotted)))
            {
                selected.Add(sample);
            }
        }
        return selected;
    }

    // As Envoy does, histograms come last.
    private static IEnumerable<string> Lines(List<StatSample> samples)
    {
        foreach (var sample in samples)
        {
            if (sample.Kind != StatKind.Histogram)
            {
                var value = sample.Kind == StatKind.Text ? $"\"{OneLine.Of(sample.Text)}\"" : sample.Value.ToString(CultureInfo.InvariantCulture);
                yield return $"{OneLine.Of(sample.Name.Dotted)}: {value}\n";
            }
        }
        foreach (var sample in samples)
        {
            if (sample.Histogram is { } histogram)
            {
                yield return $"{OneLine.Of(sample.Name.Dotted)}: {Summary(histogram)}\n";
            }
        }
    }

    // P50(interval,total); there are no intervals here, so the first is Envoy's "nan".
    private static string Summary(HistogramReading histogram)
    {
        if (histogram.Count == 0)
        {
            return "No recorded values";
        }
        var text = new StringBuilder();
        foreach (var quantile in Quantiles)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length == 0 ? "" : " ")}P{quantile}(nan,{histogram.Quantile(quantile / 100):0.###})");
        }
        return text.ToString();
    }
}
