using Postern.Filters.Network;
using Postern.Policy;
using Postern.Policy.Config;

namespace Postern.Tests.Filters.Network;

public class CiliumNetworkTests
{
    private readonly PolicyFixture policy = new();

    [Fact]
    public void NoMetadata_IsRefused() => Assert.False(CiliumNetwork.Judge(null).IsAllowed);

    [Fact]
    public void NoMetadataOpaque_IsRefused() => Assert.False(CiliumNetwork.JudgeOpaque(null).IsAllowed);

    [Fact]
    public void NoPolicyYet_IsRefusedAndSaysSo()
    {
        var connection = policy.Connection(TrafficDirection.Ingress, "10.0.0.1:1", "10.0.0.2:80", 5);
        var verdict = CiliumNetwork.Judge(connection);
        Assert.Equal(PolicyReason.NoPolicyForEndpoint, verdict.Reason);
        Assert.Contains("cilium_config_source", RefusalText.Explain(connection, verdict));
    }

    [Fact]
    public void PolicyFromDisk_RefusalSaysSo()
    {
        policy.Set([PolicyFixture.Ingress("10.0.0.2", 80, PolicyFixture.Remote(6))]);
        policy.SetNote("policy version 42 (from disk, 40 s old)");
        var connection = policy.Connection(TrafficDirection.Ingress, "10.0.0.1:1", "10.0.0.2:80", 5);

        Assert.EndsWith(" [policy version 42 (from disk, 40 s old)]", RefusalText.Explain(connection, CiliumNetwork.Judge(connection)));
    }

    [Fact]
    public void HttpRulesOnAnUnparsedConnection_AreRefused()
    {
        policy.Set([PolicyFixture.Ingress("10.0.0.2", 80, PolicyFixture.Remote(5) with { HttpRules = [PolicyFixture.Method("GET")] }, PolicyFixture.Remote(6))]);
        var restricted = policy.Connection(TrafficDirection.Ingress, "10.0.0.1:1", "10.0.0.2:80", 5);
        var free = policy.Connection(TrafficDirection.Ingress, "10.0.0.1:1", "10.0.0.2:80", 6);
        Assert.True(CiliumNetwork.Judge(restricted).IsAllowed);
        Assert.False(CiliumNetwork.JudgeOpaque(restricted).IsAllowed);
        Assert.True(CiliumNetwork.JudgeOpaque(free).IsAllowed);
    }

    [Fact]
    public void UnparsedConnection_NeedsOneRuleThatAllowsNameAndBytes()
    {
        // One rule allows the name it has, another any name but only HTTP: together they allow nothing unparsed with a third name.
        policy.Set([PolicyFixture.Egress(
            "10.0.0.1",
            443,
            new PortRuleConfig { ServerNames = ["a.example"] },
            new PortRuleConfig { HttpRules = [PolicyFixture.Method("GET")] })]);
        Assert.True(CiliumNetwork.JudgeOpaque(policy.Connection(TrafficDirection.Egress, "10.0.0.1:1", "10.0.0.2:443", 5, "a.example")).IsAllowed);
        Assert.False(CiliumNetwork.JudgeOpaque(policy.Connection(TrafficDirection.Egress, "10.0.0.1:1", "10.0.0.2:443", 5, "b.example")).IsAllowed);
    }

    [Fact]
    public void RuleWithTlsContext_IsRefusedBecauseNoChainCanKeepIt()
    {
        var context = new TlsContextConfig("", "", "", [], "ca", "", []);
        policy.Set([PolicyFixture.Egress("10.0.0.1", 443, new PortRuleConfig { UpstreamTlsContext = context })]);
        var connection = policy.Connection(TrafficDirection.Egress, "10.0.0.1:1", "10.0.0.2:443", 5);
        Assert.Equal(PolicyReason.TlsContextRequired, CiliumNetwork.Judge(connection).Reason);
        Assert.Equal(PolicyReason.TlsContextRequired, CiliumNetwork.JudgeOpaque(connection).Reason);
    }

    [Theory]
    [InlineData(PolicyReason.NoPolicyForEndpoint)]
    [InlineData(PolicyReason.NoRulesForDirection)]
    [InlineData(PolicyReason.NoRulesForPort)]
    [InlineData(PolicyReason.DenyRule)]
    [InlineData(PolicyReason.NoRuleForIdentity)]
    [InlineData(PolicyReason.ServerNameMismatch)]
    [InlineData(PolicyReason.TlsContextRequired)]
    [InlineData(PolicyReason.NoHttpRuleMatched)]
    public void EveryRefusal_HasItsOwnSentence(PolicyReason reason)
    {
        var connection = policy.Connection(TrafficDirection.Ingress, "10.0.0.1:1", "10.0.0.2:80", 5);
        var text = RefusalText.Explain(connection, new PolicyVerdict(PolicyDecision.None, reason, ""));
        Assert.NotEqual("refused by policy", text);
        Assert.Contains("10.0.0.2", text);
    }
}
