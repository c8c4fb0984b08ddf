using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;

namespace Postern.Tests.Proxy.Stats;

/// <summary>
/// A strict reader of the text format 0.0.4: every line must be a TYPE line or a sample; a family has one TYPE, before its samples and in one
/// piece; a series appears once; histograms are complete and cumulative.
/// </summary>
internal sealed class PrometheusReader
{
    private static readonly Regex TypeLine = new(@"^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$");
    private static readonly Regex SampleLine = new(@"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*=""(?:[^""\\\n]|\\[\\""n])*"",?)*)\})? (-?[0-9]+(?:\.[0-9]+)?|NaN|[+-]Inf)$");
    private static readonly Regex Label = new(@"([a-zA-Z_][a-zA-Z0-9_]*)=""((?:[^""\\\n]|\\[\\""n])*)""(,|$)");

    private readonly Dictionary<string, string> types = [];
    private readonly Dictionary<string, double> series = [];
    private string family = "";

    private PrometheusReader(string text)
    {
        Assert.True(text.Length == 0 || text.EndsWith('\n'), "the last line has no line feed");
        foreach (var line in text.Split('\n')[..^1])
        {
            Read(line);
        }
        foreach (var (name, _) in types.Where(type => type.Value == "histogram"))
        {
            CheckHistogram(name);
        }
    }

    /// <summary>Kind by family.</summary>
    public IReadOnlyDictionary<string, string> Types => types;

    /// <summary>Value by name and labels, like <c>x{a=1,b=2}</c>, unescaped.</summary>
    public IReadOnlyDictionary<string, double> Series => series;

    public static PrometheusReader Parse(string text) => new(text);

    private void Read(string line)
    {
        if (TypeLine.Match(line) is { Success: true } type)
        {
            family = type.Groups[1].Value;
            Assert.True(types.TryAdd(family, type.Groups[2].Value), $"second TYPE of {family}");
            return;
        }
        var sample = SampleLine.Match(line);
        Assert.True(sample.Success, $"neither TYPE nor sample: {line}");
        var name = sample.Groups[1].Value;
        var belongs = types.GetValueOrDefault(family) == "histogram" ? name == family + "_bucket" || name == family + "_sum" || name == family + "_count" : name == family;
        Assert.True(belongs, $"{name} stands below the TYPE of {family}");
        var labels = Label.Matches(sample.Groups[2].Value).Select(m => (Name: m.Groups[1].Value, Value: Unescape(m.Groups[2].Value))).ToList();
        Assert.Equal(labels.Count, labels.Select(label => label.Name).Distinct().Count());
        var key = labels.Count == 0 ? name : $"{name}{{{string.Join(",", labels.Select(label => $"{label.Name}={label.Value}"))}}}";
        Assert.True(series.TryAdd(key, double.Parse(sample.Groups[3].Value, CultureInfo.InvariantCulture)), $"{key} twice");
    }

    private void CheckHistogram(string name)
    {
        var buckets = series.Where(s => s.Key.StartsWith(name + "_bucket{", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(buckets);
        foreach (var one in buckets.GroupBy(bucket => Regex.Replace(bucket.Key, ",?le=[^,}]*", "")))
        {
            var values = one.Select(bucket => bucket.Value).ToList();
            Assert.Equal(values.Order(), values);
            Assert.Contains("le=+Inf", one.Last().Key);
            var rest = one.Key[(name + "_bucket").Length..];
            rest = rest == "{}" ? "" : rest;
            Assert.Equal(values[^1], series[name + "_count" + rest]);
            Assert.True(series.ContainsKey(name + "_sum" + rest));
        }
    }

    private static string Unescape(string value) => Regex.Replace(value, @"\\(.)", m => m.Groups[1].Value == "n" ? "\n" : m.Groups[1].Value);
}
