using Postern.Proxy.Http;

namespace Postern.Tests.Proxy.Http;

public sealed class PathNormalityTests
{
    private static readonly PathNormality All = new(Dots: true, Slashes: true, EscapedSlashes: true);

    [Theory]
    [InlineData("/")]
    [InlineData("*")]
    [InlineData("/a/b.c/..d/e../.f")]
    [InlineData("/a?x=//../%2F%41\\")]
    [InlineData("/a%20b%C3%A9")]
    [InlineData("/a%")]
    [InlineData("/a%4")]
    [InlineData("/a%zz")]
    public void PathThatStaysAsItIs_Passes(string target) => Assert.Null(All.FindProblem(target));

    [Theory]
    [InlineData("/public/../secret", "dot segment")]
    [InlineData("/public/..", "dot segment")]
    [InlineData("/./a", "dot segment")]
    [InlineData("/public/%2e%2E/secret", "escapes")]
    [InlineData("/public/.%2e/secret", "escapes")]
    [InlineData("/%41", "escapes")]
    [InlineData("/a\\..\\b", "backslash")]
    [InlineData("//a", "empty segment")]
    [InlineData("/a//b", "empty segment")]
    [InlineData("/a%2fb", "escaped slash")]
    [InlineData("/a%2Fb", "escaped slash")]
    [InlineData("/a%5Cb", "escaped slash")]
    public void PathThatWouldChange_IsNamed(string target, string what) => Assert.Contains(what, All.FindProblem(target));

    [Theory]
    [InlineData("/a/../b", false, true, true)]
    [InlineData("/a//b", true, false, true)]
    [InlineData("/a%2fb", true, true, false)]
    public void OptionThatIsOff_LooksAway(string target, bool dots, bool slashes, bool escaped) =>
        Assert.Null(new PathNormality(dots, slashes, escaped).FindProblem(target));
}
