using System.Collections.Generic;
using System.Text.Json;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Postern.Proxy.Stats;

namespace Postern.Proxy.Admin.Pages;

/// <summary><c>/stats?format=json</c>: an array of names and values, and one last item for all histograms, as in Envoy.</summary>
internal static class StatsJson
{
    public static async Task WriteAsync(HttpContext context, List<StatSample> samples)
    {
        await using var stream = context.BeginJson();
        var json = stream.Json;
        json.WriteStartObject();
        json.WriteStartArray("stats");
        var hasHistogram = false;
        foreach (var sample in samples)
        {
            hasHistogram |= sample.Kind == StatKind.Histogram;
            if (sample.Kind != StatKind.Histogram)
            {
                WriteValue(json, sample);
                await stream.PaceAsync().ConfigureAwait(false);
            }
        }
        if (hasHistogram)
        {
            await WriteHistogramsAsync(stream, samples).ConfigureAwait(false);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, StatSample sample)
    {
        json.WriteStartObject();
        json.WriteString("name", sample.Name.Dotted);
        if (sample.Kind == StatKind.Text)
        {
            json.WriteString("value", sample.Text);
        }
        else
        {
            json.WriteNumber("value", sample.Value);
        }
        json.WriteEndObject();
    }

    private static async Task WriteHistogramsAsync(JsonStream stream, List<StatSample> samples)
    {
        var json = stream.Json;
        json.WriteStartObject();
        json.WriteStartObject("histograms");
        json.WriteStartArray("supported_quantiles");
        foreach (var quantile in StatsPage.Quantiles)
        {
            json.WriteNumberValue(quantile);
        }
        json.WriteEndArray();
        json.WriteStartArray("computed_quantiles");
        foreach (var sample in samples)
        {
            if (sample.Histogram is { } histogram)
            {
                WriteHistogram(json, sample.Name.Dotted, histogram);
                await stream.PaceAsync().ConfigureAwait(false);
            }
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteHistogram(Utf8JsonWriter json, string name, HistogramReading histogram)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartArray("values");
        foreach (var quantile in StatsPage.Quantiles)
        {
            json.WriteStartObject();
            json.WriteNull("interval");
            if (histogram.Count == 0)
            {
                json.WriteNull("cumulative");
            }
            else
            {
                json.WriteNumber("cumulative", histogram.Quantile(quantile / 100));
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
