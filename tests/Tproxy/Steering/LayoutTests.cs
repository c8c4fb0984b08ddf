using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text.RegularExpressions;
using Postern.Tproxy.Bpf;

namespace Postern.Tests.Tproxy.Steering;

/// <summary>native/steering.h and its mirror in C# have the same numbers; the header's own size checks hold where it compiles.</summary>
public sealed class LayoutTests
{
    private static readonly string Header = Read();
    private static readonly Dictionary<string, long> Layout = typeof(SteeringLayout)
        .GetFields(BindingFlags.Static | BindingFlags.NonPublic)
        .ToDictionary(field => field.Name, field => Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture));

    [Fact]
    public void Number_IsTheSame()
    {
        var defined = Regex.Matches(Header, @"^#define POSTERN_(\w+) (\d+)u?\b", RegexOptions.Multiline)
            .ToDictionary(match => match.Groups[1].Value == "LAYOUT" ? "Version" : Pascal(match.Groups[1].Value), match => Parse(match.Groups[2].Value));

        Assert.True(defined.Count > 15, string.Join(' ', defined.Keys));
        Assert.All(defined, pair => Assert.Equal((pair.Key, pair.Value), (pair.Key, Layout.GetValueOrDefault(pair.Key, -1))));
    }

    [Fact]
    public void Size_IsTheSame()
    {
        var asserted = Regex.Matches(Header, @"^_Static_assert\(sizeof\(\w+ \w+\) == (\d+), ""(\w+)""\);", RegexOptions.Multiline)
            .ToDictionary(match => match.Groups[2].Value, match => Parse(match.Groups[1].Value));

        Assert.Equal(Layout.Keys.Where(name => name.EndsWith("Size", StringComparison.Ordinal)).Order(), asserted.Keys.Order());
        Assert.All(asserted, pair => Assert.Equal((pair.Key, pair.Value), (pair.Key, Layout[pair.Key])));
    }

    [Fact]
    public void Counter_IsTheSame()
    {
        var body = Regex.Match(Header, @"enum postern_counter \{(.*?)\};", RegexOptions.Singleline).Groups[1].Value;
        var names = Regex.Matches(body, @"^\tPOSTERN_(\w+)", RegexOptions.Multiline).Select(match => Pascal(match.Groups[1].Value)).ToList();

        Assert.Equal("Counters", names[^1]);
        Assert.Equal(Enum.GetValues<SteeringCounter>().Order().Select(counter => counter.ToString()), names[..^1]);
        Assert.Equal(names.Count - 2, (int)Enum.GetValues<SteeringCounter>().Max());
    }

    private static string Pascal(string name) =>
        string.Concat(name.Split('_').Select(word => word[..1] + word[1..].ToLowerInvariant()));

    private static long Parse(string number) => long.Parse(number, CultureInfo.InvariantCulture);

    private static string Read()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Proxy.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return File.ReadAllText(Path.Combine(folder, "native", "steering.h"));
    }
}
