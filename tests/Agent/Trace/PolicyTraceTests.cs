using System;
using System.Linq;
using Postern.Agent.Compile;
using Postern.Agent.Trace;

namespace Postern.Tests.Agent.Trace;

public sealed class PolicyTraceTests
{
    private static readonly CompiledNode Node = Texts.Compile([.. Texts.Pods,
        Texts.ForWeb("ingress:\n- fromEndpoints: [{matchLabels: {role: client}}]\n  toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET, path: /ok}]}}]\n- fromEntities: [world]\ningressDeny:\n- fromCIDR: [192.0.2.0/24]", "in"),
        Texts.Policy("endpointSelector: {matchLabels: {role: other}}\negress: [{toEntities: [world]}]", "out")]);

    [Theory]
    [InlineData("client", "web", "GET /ok", true, "default/in spec.ingress[0].toPorts[0]")]
    [InlineData("role=client", "app=web", "GET /ok", true, "default/in spec.ingress[0].toPorts[0]")]
    [InlineData("client", "web", "GET /no", false, "denied, NoHttpRuleMatched; these rules")]
    [InlineData("client", "web", null, true, "allowed by")]
    [InlineData("far/far", "web", "GET /ok", false, "denied, NoRuleForIdentity")]
    [InlineData("world", "web", "GET /any", true, "default/in spec.ingress[1]")]
    [InlineData("192.0.2.7", "web", "GET /ok", false, "default/in spec.ingressDeny[0]")]
    [InlineData("198.51.100.1", "10.0.0.1", "GET /ok", true, "default/in spec.ingress[1]")]
    [InlineData("other", "client", null, false, "egress of default/other: denied, NoRuleForIdentity")]
    [InlineData("client", "other", "GET /", true, "not enforced, not looked at")]
    [InlineData("other", "203.0.113.1", null, true, "default/out spec.egress[0] (")]
    public void Trace_SaysWhatDecided(string from, string to, string? request, bool allowed, string line)
    {
        var result = PolicyTrace.Run(Node, from, to, 80, request is null ? null : TraceRequest.Parse(request), out var problem);
        Assert.True(result is not null, problem);
        var lines = string.Join("\n", result.ToLines());
        Assert.True(result.IsAllowed == allowed, lines);
        Assert.Contains(line, lines, StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownParty_IsAProblem()
    {
        Assert.Null(PolicyTrace.Run(Node, "role=nobody", "web", 80, null, out var problem));
        Assert.Contains("role=nobody", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Rule_NamesItsFileAndLine() =>
        Assert.Equal("e.yaml:1", PolicyTrace.Run(Node, "client", "web", 80, null, out _)!.Ingress!.Rules.Single().Source.ToString());
}
