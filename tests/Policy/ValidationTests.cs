using System;
using Postern.Policy;
using Postern.Policy.Config;
using static Postern.Tests.Policy.Make;

namespace Postern.Tests.Policy;

public sealed class ValidationTests
{
    private static string Refusal(params NetworkPolicyConfig[] resources) => Assert.Throws<PolicyConfigException>(() => Snapshot(resources)).Message;

    private static string RuleRefusal(PortRuleConfig rule) => Refusal(Endpoint(Port(1, Allow()), Port(80, Allow(), rule)));

    [Fact]
    public void ResourceErrors_HaveCiliumsTexts()
    {
        Assert.Equal("NetworkPolicyResource has no endpoint ips", Refusal(Endpoint() with { EndpointIps = [] }));
        Assert.Equal("NetworkPolicyResource endpoint_id must be non-zero", Refusal(Endpoint() with { EndpointId = 0 }));
        Assert.Equal("NetworkPolicy resource name must not be empty", Refusal(Endpoint() with { Name = "" }));
        Assert.Equal("NetworkPolicy resource name 'a b' must not contain whitespace", Refusal(Endpoint() with { Name = "a b" }));
        Assert.Contains("endpoint_ips", Refusal(Endpoint() with { EndpointIps = ["1", "2", "3"] }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1", "10.0.0.1", "1", "10.0.0.2", "1")]
    [InlineData("1", "10.0.0.1", "2", "10.0.0.1", "10.0.0.1")]
    [InlineData("1", "2", "2", "10.0.0.2", "2")]
    public void NamesAndAddresses_ShareOneKeySpace(string nameA, string ipA, string nameB, string ipB, string key)
    {
        var error = Assert.Throws<PolicyConfigException>(() =>
            PolicySnapshot.Compile([Endpoint(nameA, ipA), Endpoint(nameB, ipB)], null, new UpdateOrigin("7", UpdateStream.Old)));
        Assert.StartsWith($"NetworkPolicyResource update for version 7 has duplicate resource key '{key}' on an old stream: incoming policy resource '{nameB}' (endpoint_id {nameB}, endpoint_ips [{ipB}]) collides with existing ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PortErrors_HaveCiliumsTexts()
    {
        Assert.Equal("PortNetworkPolicy: Invalid port range, end port is less than start port 80-79", Refusal(Endpoint(Range(80, 79))));
        Assert.Equal("PortNetworkPolicy: Invalid port range including the wildcard zero port 0-80", Refusal(Endpoint(Range(0, 80))));
        Assert.Contains("ingress_per_port_policies[0].port: 65536", Refusal(Endpoint(Port(65536))), StringComparison.Ordinal);
        _ = Snapshot(Endpoint(new PortNetworkPolicyConfig(80, 79, PolicyProtocol.Udp, [])));
    }

    [Fact]
    public void RuleErrors_NameTheField()
    {
        const string Rule = "NetworkPolicy '42': ingress_per_port_policies[1].rules[1].";
        Assert.Contains(Rule + "proxy_id: 65536", RuleRefusal(Allow() with { ProxyId = 65536 }), StringComparison.Ordinal);
        Assert.Contains(Rule + "server_names[1]: SniPattern: Unsupported match pattern a..b", RuleRefusal(Allow() with { ServerNames = ["a", "a..b"] }), StringComparison.Ordinal);
        Assert.Contains(Rule + "http_rules.http_rules: ", RuleRefusal(Allow() with { HttpRules = [] }), StringComparison.Ordinal);
        Assert.Contains(Rule + "kafka_rules.kafka_rules[0].topic: 'a b'", RuleRefusal(Allow() with { KafkaRules = [new KafkaRuleConfig(0, [], "", "a b")] }), StringComparison.Ordinal);
        Assert.Contains(Rule + "http_rules.http_rules[0].headers[1]: safe_regex 'a(?=b)': ", RuleRefusal(Allow().WithHttp(Http(Path("/"), Header("x", StringMatchKind.SafeRegex, "a(?=b)")))), StringComparison.Ordinal);
        Assert.Contains(Rule + "http_rules.http_rules[0].header_matches[0]: ", RuleRefusal(Allow().WithHttp(HttpMatch(new HeaderMatchConfig(":path", "/x", MatchAction.ContinueOnMatch, MismatchAction.ReplaceOnMismatch, "")))), StringComparison.Ordinal);
        Assert.Equal("PortNetworkPolicyRule: pass_precedence 5 must be lower than precedence 4", RuleRefusal(Pass(4, 5)));
    }

    [Fact]
    public void TlsErrors_HaveCiliumsTexts()
    {
        var none = new TlsContextConfig("", "", "", [], "", "", []);
        Assert.Equal("Downstream TLS Context: missing certificate chain", RuleRefusal(Allow() with { DownstreamTlsContext = none }));
        Assert.Equal("TLS Context: missing private key", RuleRefusal(Allow() with { DownstreamTlsContext = none with { CertificateChain = "c" } }));
        Assert.Equal("Upstream TLS Context: missing trusted CA", RuleRefusal(Allow() with { UpstreamTlsContext = none }));
        Assert.Equal("Upstream TLS Context: more than one server name", RuleRefusal(Allow() with { UpstreamTlsContext = none with { TrustedCa = "c", ServerNames = ["a", "b"] } }));
    }

    [Fact]
    public void RefusedUpdate_LeavesTheOldSnapshotUsable()
    {
        var first = Snapshot(Endpoint(Port(80, Allow(1))));
        Assert.Throws<PolicyConfigException>(() => PolicySnapshot.Compile([Endpoint(Range(80, 79))], first));
        Assert.True(first.FindEndpoint(Ip)!.FindPort(TrafficDirection.Ingress, 80).Net(1).IsAllowed);
    }
}
