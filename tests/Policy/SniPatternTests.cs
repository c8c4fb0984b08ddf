using System;
using System.Linq;
using System.Text.RegularExpressions;
using Postern.Policy;

namespace Postern.Tests.Policy;

public sealed class SniPatternTests
{
    [Theory]
    [InlineData("*.x", ".x", true)]
    [InlineData("*.x", "a.x", true)]
    [InlineData("*.x", "x", false)]
    [InlineData("*cilium.io", "cilium.io", true)]
    [InlineData("*cilium.io", "sub-Cilium.IO", true)]
    [InlineData("*cilium.io", "a.cilium.io", false)]
    [InlineData("**.x", "a.b.x", true)]
    [InlineData("**.x", "x", false)]
    [InlineData("**.x", ".x", false)]
    [InlineData("*", "a", true)]
    [InlineData("*", "a.b", true)]
    [InlineData("*", "a..b", false)]
    [InlineData("*", "", false)]
    [InlineData("", "", false)]
    [InlineData("a*b*c", "axxbyyc", true)]
    [InlineData("a*b*c", "abyy", false)]
    [InlineData("A.b", "a.B", true)]
    [InlineData("a.b", "a.b.", false)]
    [InlineData("**.*.**.x", "a.b..c.x", true)]
    public void Patterns_MatchAsSpecified(string pattern, string name, bool expected) => Assert.Equal(expected, SniPattern.Parse(pattern).Matches(name));

    [Theory]
    [InlineData("a..b")]
    [InlineData(".")]
    [InlineData("***")]
    [InlineData("a**")]
    [InlineData("a.b.")]
    [InlineData("a b")]
    [InlineData("\u00E9.com")]
    public void OtherTexts_AreRefused(string pattern) =>
        Assert.Equal($"SniPattern: Unsupported match pattern {pattern}", Assert.Throws<PolicyConfigException>(() => SniPattern.Parse(pattern)).Message);

    [Fact]
    public void RandomPatterns_AgreeWithAnExpression()
    {
        var random = new Random(7);
        string[] labels = ["*", "**", "a", "b", "a*", "*a", "a*b", "*a*"];
        string[] parts = ["", "a", "b", "ab", "aab", "ba", "!"];
        for (var round = 0; round < 20_000; round++)
        {
            var pattern = string.Join(".", Enumerable.Range(0, random.Next(1, 5)).Select(_ => labels[random.Next(labels.Length)]));
            var name = string.Join(".", Enumerable.Range(0, random.Next(1, 6)).Select(_ => parts[random.Next(parts.Length)]));
            const string Class = "[-a-z0-9_]";
            var expression = pattern == "*" ? $"{Class}+(\\.{Class}+)*"
                : string.Join("\\.", pattern.Split('.').Select(label => label == "**" ? $"{Class}+(\\.{Class}+)*" : label.Replace("*", Class + "*", StringComparison.Ordinal)));
            var expected = name.Length > 0 && Regex.IsMatch(name, $"\\A(?:{expression})\\z");
            Assert.True(expected == SniPattern.Parse(pattern).Matches(name), $"{pattern} on '{name}'");
        }
    }
}
