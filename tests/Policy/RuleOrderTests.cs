using System;
using System.Collections.Generic;
using System.Linq;
using Postern.Policy;
using Postern.Policy.Config;
using static Postern.Tests.Policy.Make;

namespace Postern.Tests.Policy;

public sealed class RuleOrderTests
{
    [Fact]
    public void NoPolicy_DeniesWithReason() => Assert.Equal(PolicyReason.NoPolicyForEndpoint, PortPolicy.NoPolicy.Net(1).Reason);

    [Fact]
    public void EmptyDirection_DeniesWithReason()
    {
        var endpoint = Snapshot(Endpoint(Port(80))).FindEndpoint(Ip)!;
        Assert.Equal(PolicyReason.NoRulesForDirection, endpoint.FindPort(TrafficDirection.Egress, 80).Net(1).Reason);
        Assert.Equal(PolicyReason.NoRulesForPort, endpoint.FindPort(TrafficDirection.Ingress, 81).Net(1).Reason);
    }

    [Fact]
    public void UncoveredPort_DeniesOpenRequestsToo()
    {
        var port = PortOf(Endpoint(Port(80)), 81);
        Assert.True(port.HasHttpRules);
        Assert.False(port.Request(1, new TestRequest()).IsAllowed);
    }

    [Fact]
    public void EmptyRules_AllowAnyone() => Assert.True(Rules().Net(99).IsAllowed);

    [Fact]
    public void Deny_BeatsAllowAtSamePrecedence() => Assert.Equal(PolicyReason.DenyRule, Rules(Allow(1), Deny(1)).Net(1).Reason);

    [Fact]
    public void Allow_OfHigherPrecedenceBeatsDeny() => Assert.True(Rules(Deny(1), Allow(1) with { Precedence = 1 }).Net(1).IsAllowed);

    [Fact]
    public void OtherListenersProxyId_IsSkipped()
    {
        var port = Rules(Allow(1) with { ProxyId = 7 });
        Assert.True(port.Net(1, proxyId: 7).IsAllowed);
        Assert.Equal(PolicyReason.NoRuleForIdentity, port.Net(1, proxyId: 8).Reason);
    }

    [Fact]
    public void MissingServerName_IsTheReasonOnlyIfTheRuleWouldAllow()
    {
        var rule = Allow(1) with { ServerNames = ["a.com"] };
        Assert.Equal(PolicyReason.ServerNameMismatch, Rules(rule).Net(1).Reason);
        Assert.Equal(PolicyReason.NoRuleForIdentity, Rules(rule).Net(2).Reason);
        Assert.Equal(PolicyReason.NoRuleForIdentity, Rules(rule with { Deny = true }).Net(1).Reason);
        Assert.Equal(PolicyReason.DenyRule, Rules(rule with { Precedence = 2 }, Deny()).Net(1).Reason);
    }

    [Fact]
    public void ContradictingPassRules_AreRefused()
    {
        var error = Assert.Throws<PolicyConfigException>(() => Rules(Pass(10, 5, 1), Pass(9, 4, 2)));
        Assert.Equal("PortNetworkPolicy: Inconsistent pass precedence 4 != 5", error.Message);
    }

    [Fact]
    public void PassRulesOfSeparateTiers_MayDiffer() => Assert.True(Rules(Pass(10, 5), Pass(4, 2), Allow(1) with { Precedence = 1 }).Net(1).IsAllowed);

    [Fact]
    public void PassOnlyPort_FallsToTheWildcardsRules()
    {
        var endpoint = Endpoint(Port(80, Pass(10, 5)), Port(0, Allow(1)));
        Assert.True(PortOf(endpoint).Net(1).IsAllowed);
        Assert.Equal(PolicyReason.NoRulesForPort, PortOf(Endpoint(Port(80, Pass(10, 5)))).Net(1).Reason);
    }

    [Fact]
    public void KafkaRule_AllowsTheConnectionButNoHttpRequest()
    {
        var port = Rules(Allow(1) with { L7Proto = "kafka", KafkaRules = [new KafkaRuleConfig(0, [], "", "t")] });
        Assert.True(port.Net(1).IsAllowed);
        Assert.True(port.HasHttpRules && port.HasOtherProtocolRules);
        Assert.Equal(PolicyReason.NoHttpRuleMatched, port.Request(1, new TestRequest()).Reason);
        Assert.Equal("kafka", port.FindProxylibParser(1, 42));
        Assert.Null(port.FindProxylibParser(2, 42));
    }

    [Fact]
    public void L7Rules_InDoubt_Deny()
    {
        var entry = new L7RuleConfig("", [], HasMetadataRules: true);
        PortPolicy With(L7RulesConfig rules) => Rules(Allow(1) with { L7Proto = "envoy.x", L7Rules = rules });
        Assert.False(With(new L7RulesConfig([entry], [])).EvaluateL7Rules(1, 0).IsAllowed);
        Assert.False(With(new L7RulesConfig([], [entry])).EvaluateL7Rules(1, 0).IsAllowed);
        Assert.True(With(new L7RulesConfig([entry with { HasMetadataRules = false }], [])).EvaluateL7Rules(1, 0).IsAllowed);
        Assert.True(With(new L7RulesConfig([], [])).EvaluateL7Rules(1, 0).IsAllowed);
    }

    [Fact]
    public void TlsContext_IsFoundBelowAPlainAllowAndNotBelowADeny()
    {
        var context = new TlsContextConfig("ca", "", "", [], "", "", []);
        var tls = Allow() with { Precedence = 5, UpstreamTlsContext = context };
        var plain = Allow() with { Precedence = 10 };
        Assert.Same(context, Rules(plain, tls).FindTlsContext(TlsSide.Upstream, 1, "", 0).Context);
        Assert.Equal(TlsContextOutcome.Raw, Rules(plain, tls).FindTlsContext(TlsSide.Downstream, 1, "", 0).Outcome);
        Assert.Equal(TlsContextOutcome.Raw, Rules(plain, Deny() with { Precedence = 7 }, tls).FindTlsContext(TlsSide.Upstream, 1, "", 0).Outcome);
        Assert.Equal(TlsContextOutcome.Denied, Rules(Deny() with { Precedence = 7 }, tls).FindTlsContext(TlsSide.Upstream, 1, "", 0).Outcome);
        Assert.Equal(TlsContextOutcome.Denied, Rules(Allow(2)).FindTlsContext(TlsSide.Upstream, 1, "", 0).Outcome);
    }

    /// <summary>The compiled index against a walk written straight from the specification, over random policies.</summary>
    [Fact]
    public void RandomPolicies_GiveTheVerdictOfAPlainWalk()
    {
        var random = new Random(20260821);
        for (var round = 0; round < 3000; round++)
        {
            var entries = Enumerable.Range(0, random.Next(1, 5)).Select(_ => RandomEntry(random)).ToArray();
            PolicySnapshot snapshot;
            try
            {
                snapshot = Snapshot(Endpoint(entries));
            }
            catch (PolicyConfigException error) when (error.Message.Contains("Inconsistent pass", StringComparison.Ordinal))
            {
                continue;
            }
            var endpoint = snapshot.FindEndpoint(Ip)!;
            for (ushort port = 1; port <= 8; port++)
            {
                for (uint remote = 1; remote <= 5; remote++)
                {
                    foreach (var sni in new[] { "", "a", "b" })
                    {
                        var expected = PlainWalk(entries, port, remote, sni);
                        var actual = endpoint.FindPort(TrafficDirection.Ingress, port).Net(remote, sni).Decision;
                        Assert.True(expected == actual, $"round {round} port {port} remote {remote} sni '{sni}': expected {expected}, got {actual}");
                    }
                }
            }
        }
    }

    private static PortNetworkPolicyConfig RandomEntry(Random random)
    {
        var rules = Enumerable.Range(0, random.Next(0, 4)).Select(_ =>
        {
            var precedence = (uint)random.Next(0, 5);
            return new PortRuleConfig
            {
                Precedence = precedence,
                PassPrecedence = random.Next(4) == 0 ? (uint)random.Next(0, (int)precedence + 1) : 0,
                Deny = random.Next(3) == 0,
                ProxyId = random.Next(4) == 0 ? (uint)random.Next(41, 43) : 0,
                RemotePolicies = Enumerable.Range(0, random.Next(0, 3)).Select(_ => (uint)random.Next(1, 5)).ToEquatableList(),
                ServerNames = random.Next(3) == 0 ? [random.Next(2) == 0 ? "a" : "b"] : [],
            };
        }).ToArray();
        var port = (uint)random.Next(0, 7);
        return Range(port, port > 0 && random.Next(2) == 0 ? port + (uint)random.Next(0, 3) : 0, rules);
    }

    private static PolicyDecision PlainWalk(PortNetworkPolicyConfig[] entries, ushort port, uint remote, string sni)
    {
        static bool Covers(PortNetworkPolicyConfig e, int p) => e.Port == p || (e.Port != 0 && e.EndPort != 0 && e.Port <= p && p <= e.EndPort);
        var exact = entries.Where(e => Covers(e, port)).ToArray();
        var wildcard = entries.Where(e => e.Port == 0).ToArray();
        List<PortRuleConfig>? Gather(PortNetworkPolicyConfig[] group)
        {
            // Rules of all entries; an empty entry among non-empty ones allows at precedence 0, and one explicit rule is enough.
            if (group.Length == 0)
            {
                return null;
            }
            var rules = group.SelectMany(e => e.Rules).ToList();
            if (rules.Count > 0 && group.Any(e => e.Rules.Count == 0))
            {
                rules.Add(new PortRuleConfig());
            }
            return rules;
        }
        static List<PortRuleConfig>? DropPassOnly(List<PortRuleConfig>? rules) => rules is { Count: > 0 } && rules.All(r => r.PassPrecedence > 0) ? null : rules;
        var own = Gather(exact);
        var any = Gather(wildcard);
        var list = own is null ? null : any is null ? own : own.Count == 0 && any.Count == 0 ? own : [.. own, .. any, .. (own.Count == 0 || any.Count == 0 ? new[] { new PortRuleConfig() } : [])];
        list = DropPassOnly(list) ?? DropPassOnly(any);
        if (list is null)
        {
            return PolicyDecision.None;
        }
        if (list.Count == 0)
        {
            return PolicyDecision.Allow;
        }
        long below = long.MaxValue;
        foreach (var tier in list.Select(r => r.Precedence).Distinct().OrderDescending())
        {
            if (tier >= below)
            {
                continue;
            }
            var hits = list.Where(r => r.Precedence == tier && (r.ProxyId == 0 || r.ProxyId == 42)
                && (r.RemotePolicies.Count == 0 || r.RemotePolicies.Contains(remote))
                && (r.ServerNames.Count == 0 || r.ServerNames.Contains(sni))).ToList();
            if (hits.Any(r => r.Deny && r.PassPrecedence == 0))
            {
                return PolicyDecision.Deny;
            }
            if (hits.Any(r => !r.Deny && r.PassPrecedence == 0))
            {
                return PolicyDecision.Allow;
            }
            if (hits.FirstOrDefault(r => r.PassPrecedence > 0) is { } pass)
            {
                below = pass.PassPrecedence;
            }
        }
        return PolicyDecision.None;
    }
}
