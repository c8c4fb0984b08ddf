using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Postern.Policy.Config;
using Postern.Policy.Matching;
using Postern.Policy.Re2;

namespace Postern.Tests.Policy;

public sealed class Re2Tests
{
    private static TextMatcher Compile(string pattern) => TextMatcherCompiler.Compile(new StringMatcherConfig(StringMatchKind.SafeRegex, pattern, false));

    [Theory]
    [InlineData("a$", "a", true)]
    [InlineData("a$", "a\n", false)]
    [InlineData("(?m)a$\\nb", "a\nb", true)]
    [InlineData(".", "\n", false)]
    [InlineData("(?s).", "\n", true)]
    [InlineData("[^a]", "\n", true)]
    [InlineData("\\d+", "12", true)]
    [InlineData("\\d", "\u0661", false)]
    [InlineData("\\w", "é", false)]
    [InlineData("\\s", "\v", false)]
    [InlineData("[[:space:]]", "\v", true)]
    [InlineData("[[:^alpha:]]", "1", true)]
    [InlineData("[[:word:]-]+", "a-b", true)]
    [InlineData("\\Qa.b\\E+", "a.bb", true)]
    [InlineData("\\Qa.b\\E", "axb", false)]
    [InlineData("(?P<n>a)(?<m>b)", "ab", true)]
    [InlineData("\\x{e9}", "é", true)]
    [InlineData("\\x41\\101", "AA", true)]
    [InlineData("\\p{Zs}+", "\u00A0 ", true)]
    [InlineData("[à-ï]+[^é]", "éж", true)]
    [InlineData("(?:.a){1,900}", "éa", false)]
    [InlineData("\\p{Lu}", "a", false)]
    [InlineData("\\PN", "1", false)]
    [InlineData("(?i)straSSe", "STRAsse", true)]
    [InlineData("(?i)k", "\u212A", true)]
    [InlineData("(?i:a)b", "AB", false)]
    [InlineData("(?i)a(?-i)b", "Ab", true)]
    [InlineData("(?U)a+", "aaa", true)]
    [InlineData("a{2,3}", "aaaa", false)]
    [InlineData("a{,2}", "a{,2}", true)]
    [InlineData("{", "{", true)]
    [InlineData("a|b|", "", true)]
    [InlineData("[]a]", "]", true)]
    [InlineData("[a-]", "-", true)]
    [InlineData("\\bfoo\\b.*", "foo bar", true)]
    [InlineData("\\bfoo\\b.*", "foobar", false)]
    [InlineData("x*", "", true)]
    [InlineData("/v(1|2)/.*", "/v2/a", true)]
    [InlineData("/v(1|2)/.*", "/v3/a", false)]
    [InlineData(".*public$", "/maybe/public", true)]
    [InlineData("^GET$|^HEAD$", "HEAD", true)]
    [InlineData("/a.+", "/a", false)]
    [InlineData("/caf.", "/café", true)]
    [InlineData("..", "é", false)]
    public void Semantics_AreRe2s(string pattern, string text, bool expected) => Assert.Equal(expected, Compile(pattern).Matches(WireText.From(text)));

    [Theory]
    [InlineData("(a")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("a**")]
    [InlineData("a++")]
    [InlineData("a{1001}")]
    [InlineData("(a{100}){100}")]
    [InlineData("a{2,1}")]
    [InlineData("\\1")]
    [InlineData("(a)\\1")]
    [InlineData("(?=a)")]
    [InlineData("(?<!a)")]
    [InlineData("(?>a)")]
    [InlineData("(?#c)")]
    [InlineData("\\C")]
    [InlineData("\\Z")]
    [InlineData("\\q")]
    [InlineData("[b-a]")]
    [InlineData("[[:foo:]]")]
    [InlineData("\\p{Greek}")]
    [InlineData("(?i)é")]
    [InlineData("(?P<a>x)(?P<a>y)")]
    [InlineData("\\")]
    [InlineData("\\x{110000}")]
    [InlineData("\\pL+")]
    [InlineData("[a-c]{200}[a-c]{0,900}(?:[a-c]{100}d){9}(?:[a-c]{100}d){9}(?:[a-c]{100}d){9}(?:[a-c]{900}d){9}(?:[a-c]{900}d)")]
    public void WhatRe2OrLinearTimeCannotDo_IsRefused(string pattern) =>
        Assert.Contains("safe_regex", Assert.Throws<Postern.Policy.FieldException>(() => Compile(pattern)).Message, StringComparison.Ordinal);

    [Fact]
    public void HalfASurrogatePair_IsRefused() => Assert.Throws<Postern.Policy.FieldException>(() => Compile("a" + (char)0xD800));

    [Theory]
    [InlineData("/exact")]
    [InlineData("/api/.*")]
    [InlineData(".*\\.html")]
    [InlineData(".*REGEX.*")]
    [InlineData("GET|HEAD")]
    [InlineData("/api/(v1|v2)/.*")]
    [InlineData("^/a(/.*)?$")]
    [InlineData(".*")]
    [InlineData("/[vV]1")]
    public void ComparisonsInDisguise_NeedNoAutomaton(string pattern) => Assert.IsNotType<RegexMatcher>(Compile(pattern));

    /// <summary>Translator and fast paths against a matcher that enumerates end positions over code points.</summary>
    [Fact]
    public void RandomExpressions_AgreeWithAPlainMatcher()
    {
        var random = new Random(11);
        for (var round = 0; round < 1500; round++)
        {
            var tree = Tree.Random(random, 4);
            var pattern = tree.Print();
            if (pattern.Length == 0)
            {
                continue;
            }
            var matcher = Compile(pattern);
            for (var probe = 0; probe < 12; probe++)
            {
                var text = string.Concat(Enumerable.Range(0, random.Next(0, 7)).Select(_ => Tree.Alphabet[random.Next(Tree.Alphabet.Length)]));
                var runes = text.EnumerateRunes().Select(r => r.Value).ToArray();
                var expected = tree.Ends(runes, 0).Contains(runes.Length);
                Assert.True(expected == matcher.Matches(WireText.From(text)), $"/{pattern}/ on '{text}' should be {expected} ({matcher.GetType().Name})");
            }
        }
    }

    [Fact]
    public void RandomBytesAsPattern_NeverThrowAnythingElse()
    {
        var random = new Random(5);
        const string Alphabet = "ab01(){}[]|*+?.^$\\-,:<>P=!imsUQEdwsbpxN é\n";
        for (var round = 0; round < 50_000; round++)
        {
            var text = new StringBuilder();
            for (var i = random.Next(1, 14); i > 0; i--)
            {
                text.Append(Alphabet[random.Next(Alphabet.Length)]);
            }
            try
            {
                _ = Re2Emitter.Emit(Re2Parser.Parse(text.ToString()), Re2Alphabet.Ascii);
            }
            catch (Re2SyntaxException)
            {
            }
        }
    }

    private sealed record Tree(char Kind, int Value, Tree[] Children)
    {
        public static readonly string[] Alphabet = ["a", "b", "/", "\n", "é", "1"];

        public static Tree Random(Random random, int depth) => random.Next(depth > 0 ? 9 : 4) switch
        {
            0 or 1 or 2 => new Tree('l', random.Next(Alphabet.Length), []),
            3 => new Tree("d.cn"[random.Next(4)], 0, []),
            4 or 5 => new Tree('&', 0, [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Random(random, depth - 1))]),
            6 => new Tree('|', 0, [.. Enumerable.Range(0, random.Next(2, 4)).Select(_ => Random(random, depth - 1))]),
            7 => new Tree('*', 0, [Random(random, depth - 1)]),
            _ => new Tree('?', 0, [Random(random, depth - 1)]),
        };

        public string Print() => Kind switch
        {
            'l' => Alphabet[Value] == "\n" ? "\\n" : Alphabet[Value],
            'd' => "\\d",
            '.' => ".",
            'c' => "[ab]",
            'n' => "[^a/]",
            '&' => string.Concat(Children.Select(c => c.Print())),
            '|' => "(?:" + string.Join("|", Children.Select(c => c.Print())) + ")",
            _ => "(?:" + Children[0].Print() + ")" + Kind,
        };

        public HashSet<int> Ends(int[] text, int at)
        {
            bool One(Func<int, bool> test) => at < text.Length && test(text[at]);
            HashSet<int> Step(bool ok) => ok ? [at + 1] : [];
            switch (Kind)
            {
                case 'l':
                    return Step(One(c => c == char.ConvertToUtf32(Alphabet[Value], 0)));
                case 'd':
                    return Step(One(c => c is >= '0' and <= '9'));
                case '.':
                    return Step(One(c => c != '\n'));
                case 'c':
                    return Step(One(c => c is 'a' or 'b'));
                case 'n':
                    return Step(One(c => c is not ('a' or '/')));
                case '&':
                    var here = new HashSet<int> { at };
                    foreach (var child in Children)
                    {
                        here = [.. here.SelectMany(p => child.Ends(text, p))];
                    }
                    return here;
                case '|':
                    return [.. Children.SelectMany(c => c.Ends(text, at))];
                case '?':
                    return [at, .. Children[0].Ends(text, at)];
                default:
                    var reached = new HashSet<int> { at };
                    var open = new Queue<int>(reached);
                    while (open.TryDequeue(out var p))
                    {
                        foreach (var next in Children[0].Ends(text, p))
                        {
                            if (reached.Add(next))
                            {
                                open.Enqueue(next);
                            }
                        }
                    }
                    return reached;
            }
        }
    }
}
