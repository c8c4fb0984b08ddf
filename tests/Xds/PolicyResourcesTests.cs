using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Google.Protobuf;
using Postern.Policy.Config;
using Postern.Xds;

namespace Postern.Tests.Xds;

public class PolicyResourcesTests
{
    private static NetworkPolicyConfig Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return PolicyResources.ReadNetworkPolicy(document.RootElement, "policy[0]");
    }

    private static PortRuleConfig ReadRule(string json) =>
        Read($$"""{"endpoint_ips":["10.0.0.1"],"endpoint_id":7,"ingress_per_port_policies":[{"port":80,"rules":[{{json}}]}]}""").Ingress[0].Rules[0];

    private static string Refused(string json) => Assert.Throws<XdsConfigException>(() => Read(json)).Message;

    private static string RefusedRule(string json) => Assert.Throws<XdsConfigException>(() => ReadRule(json)).Message;

    [Fact]
    public void EveryPolicyField_IsRead()
    {
        var policy = Read("""
            {"@type":"type.googleapis.com/cilium.NetworkPolicy","endpointIps":["10.0.0.1","f00d::1"],"endpoint_id":"18446744073709551615",
             "conntrack_map_name":"global",
             "egress_per_port_policies":[{"port":1,"end_port":"9","protocol":"UDP"}],
             "ingress_per_port_policies":[{"port":80,"rules":[{"name":"n","precedence":4,"pass_precedence":3,"proxy_id":12,"l7_proto":"p",
               "remote_policies":[1,2.0,"3"],"server_names":["*.x"],
               "downstream_tls_context":{"trusted_ca":"a","certificate_chain":"b","private_key":"c","server_names":["d"],
                 "validation_context_sds_secret":"e","tls_sds_secret":"f","alpn_protocols":["h2"]},
               "upstream_tls_context":{},
               "l7_rules":{"l7_allow_rules":[{"name":"r","rule":{"b":"2","a":"1"},
                 "metadata_rule":[{"filter":"f","path":[{"key":"k"}],"value":{"string_match":{"exact":"v"}},"invert":true}]}],"l7_deny_rules":[{}]}}]}]}
            """);
        Assert.Equal("18446744073709551615", policy.Name);
        Assert.Equal(ulong.MaxValue, policy.EndpointId);
        Assert.Equal(["10.0.0.1", "f00d::1"], policy.EndpointIps);
        Assert.Equal(new PortNetworkPolicyConfig(1, 9, PolicyProtocol.Udp, []), policy.Egress[0]);
        var rule = policy.Ingress[0].Rules[0];
        Assert.Equal(("n", 4u, 3u, 12u, "p", false), (rule.Name, rule.Precedence, rule.PassPrecedence, rule.ProxyId, rule.L7Proto, rule.Deny));
        Assert.Equal([1u, 2u, 3u], rule.RemotePolicies);
        Assert.Equal(["*.x"], rule.ServerNames);
        Assert.Equal(new TlsContextConfig("a", "b", "c", ["d"], "e", "f", ["h2"]), rule.DownstreamTlsContext);
        Assert.Equal(new TlsContextConfig("", "", "", [], "", "", []), rule.UpstreamTlsContext);
        Assert.Null(rule.HttpRules);
        Assert.Null(rule.KafkaRules);
        Assert.Equal(
            new L7RulesConfig(
                [new L7RuleConfig("r", [KeyValuePair.Create("a", "1"), KeyValuePair.Create("b", "2")], true)],
                [new L7RuleConfig("", [], false)]),
            rule.L7Rules);
    }

    public static TheoryData<string, HeaderMatchSpecifier?> HeaderForms => new()
    {
        { "", null },
        { ""","exact_match":"x" """, new StringHeaderMatch(new(StringMatchKind.Exact, "x", false)) },
        { ""","prefix_match":"x" """, new StringHeaderMatch(new(StringMatchKind.Prefix, "x", false)) },
        { ""","suffix_match":"x" """, new StringHeaderMatch(new(StringMatchKind.Suffix, "x", false)) },
        { ""","contains_match":"x" """, new StringHeaderMatch(new(StringMatchKind.Contains, "x", false)) },
        { ""","safe_regex_match":{"google_re2":{},"regex":"x.*"} """, new StringHeaderMatch(new(StringMatchKind.SafeRegex, "x.*", false)) },
        { ""","present_match":false """, new PresentHeaderMatch(false) },
        { ""","range_match":{"start":-5,"end":"10"} """, new RangeHeaderMatch(-5, 10) },
        { ""","string_match":{"exact":"","ignore_case":true} """, new StringHeaderMatch(new(StringMatchKind.SafeRegex, "^$", false)) },
        { ""","string_match":{"prefix":"x"} """, new StringHeaderMatch(new(StringMatchKind.Prefix, "x", false)) },
        { ""","string_match":{"suffix":"x"} """, new StringHeaderMatch(new(StringMatchKind.Suffix, "x", false)) },
        { ""","string_match":{"contains":"x"} """, new StringHeaderMatch(new(StringMatchKind.Contains, "x", false)) },
        { ""","string_match":{"safe_regex":{"regex":"x"}} """, new StringHeaderMatch(new(StringMatchKind.SafeRegex, "x", false)) },
        // The deprecated form with an empty text matches any value of a present header.
        { ""","exact_match":"" """, new StringHeaderMatch(new(StringMatchKind.Exact, "", false)) },
    };

    [Theory]
    [MemberData(nameof(HeaderForms))]
    public void HeaderMatcherForm_IsRead(string specifier, HeaderMatchSpecifier? expected)
    {
        var rule = ReadRule($$$"""{"http_rules":{"http_rules":[{"headers":[{"name":":path"{{{specifier}}},"invert_match":true,"treat_missing_header_as_empty":true}]}]}}""");
        Assert.Equal(new HeaderMatcherConfig(":path", expected, true, true), rule.HttpRules![0].Headers[0]);
    }

    [Fact]
    public void EmptyExactStringMatch_MatchesTheEmptyValueOnly()
    {
        var rule = ReadRule("""{"http_rules":{"http_rules":[{"headers":[{"name":"a","string_match":{"exact":""} }]}]} }""");
        var pattern = Postern.Policy.TextPattern.Compile(((StringHeaderMatch)rule.HttpRules![0].Headers[0].Match!).Matcher);
        Assert.True(pattern.Matches(""));
        Assert.False(pattern.Matches("x"));
        Assert.False(pattern.Matches("\n"));
    }

    [Fact]
    public void HeaderMatches_AreReadByNameAndNumber()
    {
        var rule = ReadRule("""{"http_rules":{"http_rules":[{"header_matches":[{"name":"a","value":"b","match_action":"DELETE_ON_MATCH","mismatch_action":4,"value_sds_secret":"s"}]}]}}""");
        Assert.Equal(new HeaderMatchConfig("a", "b", MatchAction.DeleteOnMatch, MismatchAction.ReplaceOnMismatch, "s"), rule.HttpRules![0].HeaderMatches[0]);
    }

    [Fact]
    public void EmptyRuleSets_StayDifferentFromAbsentOnes()
    {
        Assert.Empty(ReadRule("""{"http_rules":{}}""").HttpRules!);
        Assert.Empty(ReadRule("""{"http_rules":{"http_rules":[]}}""").HttpRules!);
        Assert.Empty(ReadRule("""{"kafka_rules":{}}""").KafkaRules!);
        Assert.NotNull(ReadRule("""{"l7_rules":{}}""").L7Rules);
        Assert.Null(ReadRule("{}").HttpRules);
    }

    [Fact]
    public void KafkaRules_AreRead()
    {
        var rule = ReadRule("""{"kafka_rules":{"kafka_rules":[{"api_version":-1,"api_keys":[1,2],"client_id":"c","topic":"t"}]}}""");
        Assert.Equal(new KafkaRuleConfig(-1, [1, 2], "c", "t"), rule.KafkaRules![0]);
    }

    [Theory]
    [InlineData("""{"http_rule":{}}""", "policy[0].ingress_per_port_policies[0].rules[0].http_rule: unknown field 'http_rule' of cilium.PortNetworkPolicyRule; did you mean 'http_rules'?")]
    [InlineData("""{"http_rules":null}""", "policy[0].ingress_per_port_policies[0].rules[0].http_rules: has no value; remove the field, or write {} or [] for an empty one")]
    [InlineData("""{"http_rules":{},"kafka_rules":{}}""", "policy[0].ingress_per_port_policies[0].rules[0].kafka_rules: http_rules is set too, and only one of oneof l7 may be; remove one of them")]
    [InlineData("""{"deny":true,"pass_precedence":1}""", "policy[0].ingress_per_port_policies[0].rules[0].pass_precedence: deny is set too, and only one of oneof verdict may be; remove one of them")]
    [InlineData("""{"deny":"true"}""", "policy[0].ingress_per_port_policies[0].rules[0].deny: expected true or false, found the string 'true'")]
    [InlineData("""{"deny":true,"deny":false}""", "policy[0].ingress_per_port_policies[0].rules[0].deny: duplicate key; keep one of them")]
    [InlineData("""{"proxy_id":1,"proxyId":1}""", "policy[0].ingress_per_port_policies[0].rules[0].proxy_id: set twice, by both its spellings; keep one of them")]
    [InlineData("""{"remote_policies":[-1]}""", "policy[0].ingress_per_port_policies[0].rules[0].remote_policies[0]: -1 is not within 0 to 4294967295")]
    [InlineData("""{"remote_policies":[4294967296]}""", "policy[0].ingress_per_port_policies[0].rules[0].remote_policies[0]: 4294967296 is not within 0 to 4294967295")]
    [InlineData("""{"remote_policies":[1.5]}""", "policy[0].ingress_per_port_policies[0].rules[0].remote_policies[0]: expected a whole number, found the number 1.5")]
    [InlineData("""{"http_rules":{"http_rules":[{"headers":[{"name":"a","string_match":{}}]}]}}""", "policy[0].ingress_per_port_policies[0].rules[0].http_rules.http_rules[0].headers[0].string_match: needs one of exact, prefix, suffix, contains or safe_regex")]
    [InlineData("""{"http_rules":{"http_rules":[{"headers":[{"name":"a","prefix_match":""}]}]}}""", "policy[0].ingress_per_port_policies[0].rules[0].http_rules.http_rules[0].headers[0].prefix_match: must not be empty: it would match everything")]
    [InlineData("""{"name":"\ud800"}""", "policy[0].ingress_per_port_policies[0].rules[0].name: a string is not valid Unicode")]
    public void BadRule_IsRefusedWithItsPath(string rule, string expected) => Assert.Equal(expected, RefusedRule(rule));

    [Fact]
    public void UnknownEnumValue_ListsTheKnownOnes() =>
        Assert.Equal(
            "policy[0].ingress_per_port_policies[0].protocol: expected one of TCP, UDP (envoy.config.core.v3.SocketAddress.Protocol), found the string 'ICMP'",
            Refused("""{"ingress_per_port_policies":[{"protocol":"ICMP"}]}"""));

    [Fact]
    public void OtherType_IsRefused() =>
        Assert.Equal(
            "policy[0].@type: expected type.googleapis.com/cilium.NetworkPolicy, found 'type.googleapis.com/cilium.NetworkPolicyHosts'",
            Refused("""{"@type":"type.googleapis.com/cilium.NetworkPolicyHosts"}"""));

    [Fact]
    public void NotAnObject_IsRefused() => Assert.Equal("policy[0]: expected a map (cilium.NetworkPolicy), found a list", Refused("[]"));

    [Fact]
    public void EnumFromALaterVersion_IsRefusedOnTheWire()
    {
        var policy = new Cilium.NetworkPolicy { IngressPerPortPolicies = { new Cilium.PortNetworkPolicy { Protocol = (Envoy.Config.Core.V3.SocketAddress.Types.Protocol)9 } } };
        var decoded = Cilium.NetworkPolicy.Parser.ParseFrom(policy.ToByteArray());
        Assert.Equal(
            "ingress_per_port_policies[0].protocol: value 9 is not known",
            Assert.Throws<XdsConfigException>(() => PolicyResources.FromProto(decoded)).Message);
    }

    [Fact]
    public void WrapperName_WinsOverEndpointId() =>
        Assert.Equal("pod", PolicyResources.FromProto(new Cilium.NetworkPolicy { EndpointId = 3 }, "pod").Name);

    [Fact]
    public void Hosts_AreRead()
    {
        using var document = JsonDocument.Parse("""{"@type":"type.googleapis.com/cilium.NetworkPolicyHosts","policy":"173","host_addresses":["10.0.0.0/8","::1"]}""");
        Assert.Equal(
            new NetworkPolicyHostsConfig(173, ["10.0.0.0/8", "::1"]),
            PolicyResources.ReadNetworkPolicyHosts(document.RootElement, ""));
    }

    [SharedFact("cases/policy_cases.json")]
    public void EveryRecordedPolicy_IsRead()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Find("cases/policy_cases.json")!));
        var policies = 0;
        foreach (var test in document.RootElement.EnumerateArray())
        {
            var name = test.GetProperty("name").GetString()!;
            if (test.TryGetProperty("policy", out var list) && list.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in list.EnumerateArray().Where(i => i.TryGetProperty("endpoint_ips", out _)))
                {
                    PolicyResources.ReadNetworkPolicy(item, name);
                    policies++;
                }
            }
            if (test.TryGetProperty("host_map", out var hosts) && hosts.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in hosts.EnumerateArray())
                {
                    PolicyResources.ReadNetworkPolicyHosts(item, name);
                }
            }
        }
        Assert.True(policies > 50, $"only {policies} policies");
    }
}
