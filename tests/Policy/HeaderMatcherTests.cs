using System.Collections.Generic;
using Postern.Policy;
using Postern.Policy.Config;
using static Postern.Tests.Policy.Make;

namespace Postern.Tests.Policy;

public sealed class HeaderMatcherTests
{
    private static bool Accepts(HeaderMatcherConfig matcher, TestRequest request) => Rules(Allow().WithHttp(Http(matcher))).Request(1, request).IsAllowed;

    [Theory]
    [InlineData(StringMatchKind.Exact, "ab", false, true)]
    [InlineData(StringMatchKind.Exact, "AB", false, false)]
    [InlineData(StringMatchKind.Exact, "AB", true, true)]
    [InlineData(StringMatchKind.Exact, "", false, false)]
    [InlineData(StringMatchKind.Prefix, "a", false, true)]
    [InlineData(StringMatchKind.Prefix, "A", true, true)]
    [InlineData(StringMatchKind.Prefix, "abc", false, false)]
    [InlineData(StringMatchKind.Suffix, "b", false, true)]
    [InlineData(StringMatchKind.Suffix, "B", true, true)]
    [InlineData(StringMatchKind.Suffix, "a", false, false)]
    [InlineData(StringMatchKind.Contains, "b", false, true)]
    [InlineData(StringMatchKind.Contains, "B", false, false)]
    [InlineData(StringMatchKind.Contains, "B", true, true)]
    [InlineData(StringMatchKind.SafeRegex, "[a-z]+", false, true)]
    [InlineData(StringMatchKind.SafeRegex, "a", false, false)]
    public void StringForms_MatchAsEnvoyDoes(StringMatchKind kind, string pattern, bool ignoreCase, bool expected)
    {
        var request = new TestRequest().With("X-A", "ab");
        Assert.Equal(expected, Accepts(Header("x-a", kind, pattern, ignoreCase: ignoreCase), request));
        Assert.Equal(!expected, Accepts(Header("x-a", kind, pattern, invert: true, ignoreCase: ignoreCase), request));
    }

    [Fact]
    public void MissingHeader_MatchesNothingEvenInverted()
    {
        Assert.False(Accepts(Header("x-a", StringMatchKind.Exact, "a"), new TestRequest()));
        Assert.False(Accepts(Header("x-a", StringMatchKind.Exact, "a", invert: true), new TestRequest()));
        Assert.True(Accepts(Header("x-a", StringMatchKind.Exact, "a", invert: true, missingIsEmpty: true), new TestRequest()));
        Assert.True(Accepts(Header("x-a", StringMatchKind.Exact, "", missingIsEmpty: true), new TestRequest()));
    }

    [Theory]
    [InlineData(true, false, true, true)]
    [InlineData(true, false, false, false)]
    [InlineData(false, false, false, true)]
    [InlineData(false, true, false, false)]
    [InlineData(true, true, false, true)]
    [InlineData(true, true, true, false)]
    public void PresentMatch_IsXorOfItsFlags(bool present, bool invert, bool sent, bool expected)
    {
        var request = sent ? new TestRequest().With("x-a", "") : new TestRequest();
        Assert.Equal(expected, Accepts(new HeaderMatcherConfig("x-a", new PresentHeaderMatch(present), invert, false), request));
    }

    [Theory]
    [InlineData("10", true)]
    [InlineData("-1", false)]
    [InlineData("19", true)]
    [InlineData("20", false)]
    [InlineData("1x", false)]
    [InlineData("99999999999999999999", false)]
    public void RangeMatch_IsHalfOpen(string value, bool expected) =>
        Assert.Equal(expected, Accepts(new HeaderMatcherConfig("x-a", new RangeHeaderMatch(10, 20), false, false), new TestRequest().With("x-a", value)));

    [Fact]
    public void SeveralValues_AreJoinedWithCommaOnly()
    {
        var request = new TestRequest().With("x-a", "1").With("X-A", "2").With("x-b", "9");
        Assert.True(Accepts(Header("x-a", StringMatchKind.Exact, "1,2"), request));
        Assert.False(Accepts(Header("x-a", StringMatchKind.Exact, "1"), request));
    }

    [Theory]
    [InlineData(":path", "/p?q=1")]
    [InlineData(":method", "PUT")]
    [InlineData(":authority", "a.b:80")]
    [InlineData("Host", "a.b:80")]
    [InlineData(":scheme", "http")]
    public void PseudoHeadersAndHost_AreMatched(string name, string value) =>
        Assert.True(Accepts(Header(name, StringMatchKind.Exact, value), new TestRequest("/p?q=1", "PUT", "a.b:80").With("host", "spoofed")));

    [Fact]
    public void NonAsciiPattern_MatchesItsUtf8Bytes()
    {
        var wire = new TestRequest("/caf\u00C3\u00A9");
        Assert.True(Accepts(Path("/caf\u00E9"), wire));
        Assert.True(Accepts(Header(":path", StringMatchKind.SafeRegex, "/caf."), wire));
        Assert.True(Accepts(Header(":path", StringMatchKind.SafeRegex, "/[a-f]+[\u00E0-\u00EF]"), wire));
        Assert.False(Accepts(Header(":path", StringMatchKind.SafeRegex, "/caf.."), wire));
    }

    [Fact]
    public void BrokenUtf8_SatisfiesNoInvertedExpression()
    {
        var broken = new TestRequest("/\u00FF");
        Assert.False(Accepts(Header(":path", StringMatchKind.SafeRegex, "/admin.*", invert: true), broken));
        Assert.False(Accepts(Header(":path", StringMatchKind.SafeRegex, "(?s).*", invert: true), broken));
        Assert.True(Accepts(Header(":path", StringMatchKind.SafeRegex, "(?s).*"), broken));
        Assert.False(Accepts(Header(":path", StringMatchKind.SafeRegex, ".*\\badmin\\b.*", invert: true), new TestRequest("/\u00C3\u00A9")));
    }

    [Theory]
    [InlineData(MatchAction.ContinueOnMatch, "1", true, "x-a: 1", "", "")]
    [InlineData(MatchAction.FailOnMatch, "1", false, "x-a: 1", "", "x-a=1")]
    [InlineData(MatchAction.DeleteOnMatch, "1", true, "", "", "x-a=1")]
    [InlineData((MatchAction)9, "1", false, "x-a: 1", "", "x-a=1")]
    public void MatchActions_FollowTheTable(MatchAction action, string sent, bool allowed, string after, string missing, string rejected) =>
        Check(new HeaderMatchConfig("X-A", "1", action, MismatchAction.FailOnMismatch, ""), sent, allowed, after, missing, rejected);

    [Theory]
    [InlineData(MismatchAction.FailOnMismatch, "2", false, "x-a: 2", "x-a=1", "")]
    [InlineData(MismatchAction.ContinueOnMismatch, "2", true, "x-a: 2", "x-a=1", "")]
    [InlineData(MismatchAction.AddOnMismatch, "2", true, "x-a: 2|x-a: 1", "x-a=1", "")]
    [InlineData(MismatchAction.AddOnMismatch, null, true, "x-a: 1", "x-a=1", "")]
    [InlineData(MismatchAction.DeleteOnMismatch, "2", true, "", "", "x-a=2")]
    [InlineData(MismatchAction.DeleteOnMismatch, null, true, "", "", "")]
    [InlineData(MismatchAction.ReplaceOnMismatch, "2", true, "x-a: 1", "x-a=1", "x-a=2")]
    [InlineData(MismatchAction.ReplaceOnMismatch, null, true, "x-a: 1", "x-a=1", "")]
    [InlineData((MismatchAction)9, "2", false, "x-a: 2", "x-a=1", "")]
    public void MismatchActions_FollowTheTable(MismatchAction action, string? sent, bool allowed, string after, string missing, string rejected) =>
        Check(new HeaderMatchConfig("X-A", "1", MatchAction.ContinueOnMatch, action, ""), sent, allowed, after, missing, rejected);

    [Fact]
    public void Secret_IsComparedAndNeverLogged()
    {
        var match = new HeaderMatchConfig("x-a", "", MatchAction.ContinueOnMatch, MismatchAction.ReplaceOnMismatch, "s");
        var log = new HeaderMatchLog();
        var request = new TestRequest().With("x-a", "wrong");
        var secrets = new NoSecrets(new Dictionary<string, string> { ["s"] = "key" });
        Assert.True(Rules(Allow().WithHttp(HttpMatch(match))).Request(1, request, log, secrets).IsAllowed);
        Assert.Equal("key", Assert.Single(request.Headers).Value);
        Assert.Equal("[redacted]", Assert.Single(log.Missing).Value);
        Assert.Equal("[redacted]", Assert.Single(log.Rejected).Value);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void SecretNotLoaded_FailsWithoutALogEntry(string? loaded)
    {
        var match = new HeaderMatchConfig("x-a", "", MatchAction.ContinueOnMatch, MismatchAction.ContinueOnMismatch, "s");
        var log = new HeaderMatchLog();
        var secrets = new NoSecrets(loaded is null ? [] : new Dictionary<string, string> { ["s"] = loaded });
        Assert.False(Rules(Allow().WithHttp(HttpMatch(match))).Request(1, new TestRequest().With("x-a", "any"), log, secrets).IsAllowed);
        Assert.Empty(log.Missing);
        Assert.Empty(log.Rejected);
    }

    [Fact]
    public void HeaderMatches_RunInEveryRuleOfTheSamePrecedenceAfterAnAllow()
    {
        var add = new HeaderMatchConfig("x-new", "1", MatchAction.ContinueOnMatch, MismatchAction.AddOnMismatch, "");
        var request = new TestRequest();
        Assert.True(Rules(Allow(1).WithHttp(Http()), Allow(1).WithHttp(HttpMatch(add))).Request(1, request).IsAllowed);
        Assert.Equal("x-new", Assert.Single(request.Headers).Key);
        request = new TestRequest();
        Assert.True(Rules(Allow(1).WithHttp(Http()) with { Precedence = 3 }, Allow(1).WithHttp(HttpMatch(add))).Request(1, request).IsAllowed);
        Assert.Empty(request.Headers);
    }

    private static void Check(HeaderMatchConfig match, string? sent, bool allowed, string after, string missing, string rejected)
    {
        var request = new TestRequest();
        if (sent is not null)
        {
            request.AppendHeader("x-a", sent);
        }
        var log = new HeaderMatchLog();
        Assert.Equal(allowed, Rules(Allow().WithHttp(HttpMatch(match))).Request(1, request, log).IsAllowed);
        Assert.Equal(after, string.Join("|", request.Headers.ConvertAll(h => $"{h.Key}: {h.Value}")));
        Assert.Equal(missing, string.Join("|", System.Linq.Enumerable.Select(log.Missing, p => $"{p.Key}={p.Value}")));
        Assert.Equal(rejected, string.Join("|", System.Linq.Enumerable.Select(log.Rejected, p => $"{p.Key}={p.Value}")));
    }
}
