using System;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Proxy.Http;
using Postern.Tests.Fuzzing;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Http;

/// <summary>Cases stand in Dialogues/paths; here is what holds for every path.</summary>
public sealed class PathNormaliserTests
{
    private static readonly string[] Pieces =
        ["/", "/", "/", ".", "..", "a", "b4", "%", "%2", "2", "e", "E", "5", "C", "%2e", "%2E", "%2f", "%2F", "%5c", "%5C", "\\", "%41", "%7e", "%25", "%20", "%zz", "?", "*", ";"];

    /// <summary>Targets of pieces that mean something here, all beginning with a slash.</summary>
    internal static Arbitrary<string> Targets { get; } =
        Gen.Elements(Pieces).ArrayOf().Select(pieces => "/" + string.Concat(pieces)).ToArbitrary();

    private static readonly PathRules[] AllRules =
    [
        .. from dots in new[] { false, true }
           from slashes in new[] { false, true }
           from escaped in Enum.GetValues<EscapedSlashesAction>()
           select new PathRules(dots, slashes, escaped),
    ];

    [Fact]
    [Trait("Fuzz", "paths")]
    public void AnyPath_NeverGrowsAndComesOutAsItStays() => CheckAll((rules, target, outcome, result) =>
    {
        Assert.True(result.Length <= target.Length);
        Assert.Equal(IsGood(outcome), result.Length > 0);
        Assert.Equal(outcome == PathOutcome.Unchanged, result == target);
        if (IsGood(outcome))
        {
            Assert.Equal((PathOutcome.Unchanged, result), Apply(rules, result));
        }
    });

    [Fact]
    [Trait("Fuzz", "paths")]
    public void PathThatTheQuickLookPasses_IsLeftAlone() => CheckAll((rules, target, outcome, _) =>
        Assert.True(PathNormaliser.MayChange(target) || outcome == PathOutcome.Unchanged, $"{rules} {target}"));

    [Fact]
    [Trait("Fuzz", "paths")]
    public void Result_HasNothingThatWasToGo() => CheckAll((rules, _, outcome, result) =>
    {
        if (!IsGood(outcome))
        {
            return;
        }
        var path = result.Split('?')[0];
        Assert.StartsWith("/", path, StringComparison.Ordinal);
        if (rules.Dots)
        {
            Assert.DoesNotContain(path.Split('/'), segment => segment is "." or "..");
            Assert.DoesNotContain('\\', path);
            Assert.DoesNotContain("%2e", path, StringComparison.OrdinalIgnoreCase);
        }
        Assert.False(rules.Slashes && path.Contains("//", StringComparison.Ordinal), path);
        if (rules.EscapedSlashes != EscapedSlashesAction.KeepUnchanged)
        {
            Assert.DoesNotContain("%2f", path, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("%5c", path, StringComparison.OrdinalIgnoreCase);
        }
    });

    [Fact]
    [Trait("Fuzz", "paths")]
    public void Query_IsNeverTouched() => CheckAll((_, target, outcome, result) =>
    {
        var query = target.IndexOf('?', StringComparison.Ordinal);
        if (IsGood(outcome))
        {
            Assert.Equal(query < 0 ? "" : target[query..], result.Contains('?', StringComparison.Ordinal) ? result[result.IndexOf('?', StringComparison.Ordinal)..] : "");
        }
    });

    [Theory]
    [InlineData("/")]
    [InlineData("*")]
    [InlineData("/a/b.c/..d/e../.f")]
    [InlineData("/a?x=//../%2F%41\\")]
    [InlineData("/a%20b%C3%A9%c3")]
    [InlineData("/a%")]
    [InlineData("/a%4")]
    [InlineData("/a%zz")]
    [InlineData("/a%252e")]
    public void PathThatIsAsItShouldBe_Passes(string target) =>
        Assert.Equal((PathOutcome.Unchanged, target), Apply(new PathRules(true, true, EscapedSlashesAction.RejectRequest), target));

    [Theory]
    [InlineData("/a/..", "/")]
    [InlineData("/a/.", "/a/")]
    [InlineData("/..", "/")]
    [InlineData("//../a", "/a")]
    [InlineData("/a//../b", "/a/b")]
    [InlineData("/a/...", "/a/...")]
    [InlineData("\\a", "\\a")]
    [InlineData("/\\..\\a", "/a")]
    [InlineData("/%z%41", "/%zA")]
    public void DotSegments_GoAsTheRfcSays(string target, string result) =>
        Assert.Equal(result, Apply(new PathRules(true, false, EscapedSlashesAction.KeepUnchanged), target).Result);

    [Theory]
    [InlineData("/%%32e")]
    [InlineData("/%%32%65")]
    [InlineData("/%2%65")]
    [InlineData("/%%32f")]
    public void EscapeWithinAnEscape_IsRefused(string target) =>
        Assert.Equal(PathOutcome.NestedEscape, Apply(new PathRules(true, false, EscapedSlashesAction.UnescapeAndForward), target).Outcome);

    [Fact]
    public void Fragment_IsRefused() => Assert.Equal(PathOutcome.Fragment, Apply(default, "/a?b#c").Outcome);

    private static bool IsGood(PathOutcome outcome) => outcome is PathOutcome.Unchanged or PathOutcome.Changed or PathOutcome.Redirect;

    private static (PathOutcome Outcome, string Result) Apply(PathRules rules, string target)
    {
        var result = new char[target.Length]; // no longer: it never grows
        var outcome = PathNormaliser.Apply(rules, target, result, out var length);
        return (outcome, new string(result, 0, length));
    }

    private static void CheckAll(Action<PathRules, string, PathOutcome, string> check, [CallerMemberName] string name = "") => FuzzRun.Repeat(0, run => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(2000).WithEndSize(30),
        Prop.ForAll(Targets, target =>
        {
            run.Try(Encoding.Latin1.GetBytes(target));
            foreach (var rules in AllRules)
            {
                var (outcome, result) = Apply(rules, target);
                check(rules, target, outcome, result);
            }
        })), name);
}
