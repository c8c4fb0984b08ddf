using System.Linq;
using Cilium;
using static Cilium.HeaderMatch.Types;

namespace Postern.Tests.Agent.Compile;

public sealed class HttpRuleTests
{
    private static HttpNetworkPolicyRules Compile(string http) => Texts.Compile(
        Texts.Endpoint("web", "10.0.0.1", "app: web"),
        Texts.ForWeb($"ingress: [{{toPorts: [{{ports: [{{port: '80', protocol: TCP}}], rules: {{http: [{http}]}}}}]}}]")).Of("web").Policy.IngressPerPortPolicies[0].Rules[0].HttpRules;

    [Fact]
    public void PathMethodHost_AreExpressionsOnPseudoHeaders()
    {
        var headers = Compile("{path: /v1/.*, method: GET, host: a.example}").HttpRules[0].Headers;
        Assert.Equal([(":path", "/v1/.*"), (":method", "GET"), (":authority", "a.example")], headers.Select(header => (header.Name, header.StringMatch.SafeRegex.Regex)));
    }

    [Fact]
    public void Headers_AreSplitAtTheFirstSpace()
    {
        var headers = Compile("{headers: ['X-A: b c', 'X-B', 'X-C:', 'X-D e']}").HttpRules[0].Headers;
        Assert.Equal(["X-A=b c", "X-B present", "X-C present", "X-D=e"], headers.Select(header => header.Name + (header.PresentMatch ? " present" : "=" + header.StringMatch.Exact)));
    }

    [Theory]
    [InlineData("{name: X, value: v}", "header X=v")]
    [InlineData("{name: X}", "header X present")]
    [InlineData("{name: X, value: v, mismatch: LOG}", "match X=v ContinueOnMismatch")]
    [InlineData("{name: X, value: v, mismatch: ADD}", "match X=v AddOnMismatch")]
    [InlineData("{name: X, value: v, mismatch: DELETE}", "match X=v DeleteOnMismatch")]
    [InlineData("{name: X, value: v, mismatch: REPLACE}", "match X=v ReplaceOnMismatch")]
    [InlineData("{name: X, secret: {name: s}}", "match X=secret cilium-secrets/default-s FailOnMismatch")]
    [InlineData("{name: X, secret: {namespace: o, name: s}, mismatch: ADD}", "match X=secret cilium-secrets/o-s AddOnMismatch")]
    public void HeaderMatch_KeepsItsMeaning(string match, string wanted)
    {
        var rule = Compile($"{{headerMatches: [{match}]}}").HttpRules[0];
        var found = rule.Headers.Select(header => $"header {header.Name}{(header.PresentMatch ? " present" : "=" + header.StringMatch.Exact)}")
            .Concat(rule.HeaderMatches.Select(one => $"match {one.Name}={(one.ValueSdsSecret.Length > 0 ? "secret " + one.ValueSdsSecret : one.Value)} {one.MismatchAction}"));
        Assert.Equal([wanted], found);
        Assert.Equal(MatchAction.ContinueOnMatch, rule.HeaderMatches.FirstOrDefault()?.MatchAction ?? default);
    }

    [Fact]
    public void OrderInYaml_HasNoEffect() =>
        Assert.Equal(Compile("{path: /a, method: GET}, {path: /b}, {path: /a}"), Compile("{path: /b}, {path: /a}, {method: GET, path: /a}"));

    [Fact]
    public void EmptyRule_AllowsAllOfHttp() => Assert.Empty(Assert.Single(Compile("{path: /a}, {}").HttpRules).Headers);

    [Fact]
    public void EmptyRuleBesideRewrites_KeepsTheRewrites() => Assert.Equal(2, Compile("{headerMatches: [{name: X, value: v, mismatch: ADD}]}, {}").HttpRules.Count);
}
