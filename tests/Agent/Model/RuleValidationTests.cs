using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;

namespace Postern.Tests.Agent.Model;

public sealed class RuleValidationTests
{
    private const string Tcp80 = "ports: [{port: '80', protocol: TCP}]";

    /// <summary>Descriptions in the shared cases → rules that are like that.</summary>
    private static readonly Dictionary<string, string[]> Described = new(StringComparer.Ordinal)
    {
        ["Kafka/HTTP rules on ingress or egress"] =
        [
            $"ingress: [{{toPorts: [{{{Tcp80}, rules: {{kafka: [{{topic: a}}]}}}}]}}]", $"egress: [{{toPorts: [{{{Tcp80}, rules: {{kafka: [{{topic: a}}]}}}}]}}]",
            $"ingress: [{{toPorts: [{{{Tcp80}, rules: {{http: [{{path: /}}]}}}}]}}]", $"egress: [{{toPorts: [{{{Tcp80}, rules: {{http: [{{path: /}}]}}}}]}}]",
        ],
        ["HTTP+Kafka in one rule"] = [$"ingress: [{{toPorts: [{{{Tcp80}, rules: {{http: [{{}}], kafka: [{{}}]}}}}]}}]"],
        ["l7 without l7proto"] = [$"ingress: [{{toPorts: [{{{Tcp80}, rules: {{l7: [{{a: b}}]}}}}]}}]"],
        ["HTTP rule on UDP or ANY port"] =
        [
            "ingress: [{toPorts: [{ports: [{port: '80', protocol: UDP}], rules: {http: [{}]}}]}]",
            "ingress: [{toPorts: [{ports: [{port: '80', protocol: ANY}], rules: {http: [{}]}}]}]",
            "ingress: [{toPorts: [{ports: [{port: '80'}], rules: {http: [{}]}}]}]",
        ],
        ["DNS rule on port 5353"] = ["egress: [{toPorts: [{ports: [{port: '5353', protocol: ANY}], rules: {dns: [{matchPattern: '*'}]}}]}]"],
        ["DNS rule with endPort"] = ["egress: [{toPorts: [{ports: [{port: '53', endPort: 54, protocol: ANY}], rules: {dns: [{matchPattern: '*'}]}}]}]"],
        ["listener on ingress"] = [$"ingress: [{{toPorts: [{{{Tcp80}, listener: {{name: l, envoyConfig: {{name: c}}}}}}]}}]"],
        ["listener together with L7 rules"] = [$"egress: [{{toPorts: [{{{Tcp80}, listener: {{name: l, envoyConfig: {{name: c}}}}, rules: {{http: [{{}}]}}}}]}}]"],
        ["more than 40 ports"] = [$"ingress: [{{toPorts: [{{ports: [{string.Join(", ", Enumerable.Range(1, 41).Select(port => $"{{port: '{port}'}}"))}]}}]}}]"],
    };

    [SharedFact("cases/annotation_cases.json")]
    public void EveryPortRuleCase_IsJudgedAsUpstream()
    {
        var failures = new List<string>();
        foreach (var @case in Cases("port_rule_validation"))
        {
            var text = @case.GetProperty("desc").GetString()!;
            var valid = @case.GetProperty("valid").GetBoolean();
            string[] policies = text == "any L7 on host policy ingress"
                ? [Texts.Clusterwide($"nodeSelector: {{}}\ningress: [{{toPorts: [{{{Tcp80}, rules: {{http: [{{}}]}}}}]}}]")]
                : [.. Described[text].Select(rules => Texts.ForWeb(rules))];
            foreach (var policy in policies)
            {
                var model = Texts.Read(policy);
                if ((model.Problems.Count == 0) != valid)
                {
                    failures.Add($"{text}: {policy}\n{model.Reasons()}");
                }
            }
        }
        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    [SharedFact("cases/annotation_cases.json")]
    public void EveryHttpRuleCase_IsJudgedAsUpstream()
    {
        foreach (var @case in Cases("http_rule_validation"))
        {
            var model = Texts.Read(Texts.ForWeb($"ingress: [{{toPorts: [{{{Tcp80}, rules: {{http: [{@case.GetProperty("rule").GetRawText()}]}}}}]}}]"));
            Assert.True((model.Problems.Count == 0) == @case.GetProperty("valid").GetBoolean(), @case.GetRawText() + model.Reasons());
        }
    }

    [SharedFact("cases/kafka_cases.json")]
    public void EveryKafkaRuleCase_IsJudgedAsUpstream()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(SharedFiles.Find("cases/kafka_cases.json")!));
        foreach (var @case in json.RootElement.GetProperty("rule_validation").EnumerateArray())
        {
            var model = Texts.Read(Texts.ForWeb($"ingress: [{{toPorts: [{{{Tcp80}, rules: {{kafka: [{@case.GetProperty("rule").GetRawText()}]}}}}]}}]"));
            Assert.True((model.Problems.Count == 0) == @case.GetProperty("valid").GetBoolean(), @case.GetRawText() + model.Reasons());
        }
    }

    [Theory]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '0', protocol: TCP}], rules: {http: [{}]}}]}]", "port 0")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: http, protocol: TCP}]}]}]", "named ports")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '65536', protocol: TCP}]}]}]", "is no port")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '80', endPort: 79}]}]}]", "lower than port")]
    [InlineData("ingress: [{toPorts: [{ports: []}]}]", "names no port")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], serverNames: [a.b], rules: {http: [{}]}}]}]", "terminatingTLS")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: }}]}]", "has no value")]
    [InlineData("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{host: '('}]}}]}]", "safe_regex")]
    [InlineData("ingress: [{fromRequires: [{}]}]", "fromEndpoints")]
    [InlineData("ingress: [{fromEntities: [wrld]}]", "did you mean 'world'")]
    [InlineData("ingress: [{fromCIDR: [10.0.0.0/33]}]", "is no CIDR")]
    [InlineData("ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/8]}]}]", "is not within")]
    [InlineData("egressDeny: [{toFQDNs: [{matchName: a.b}]}]", "would pass")]
    [InlineData("ingressDeny: [{fromCIDRSet: [{cidrGroupRef: x}]}]", "would pass")]
    [InlineData("ingressDeny: [{toPorts: [{ports: [{port: '80'}], rules: {http: [{}]}}]}]", "unknown field 'rules'")]
    [InlineData("ingress: [{icmps: [{fields: [{type: 8}]}], toPorts: [{ports: [{port: '80'}]}]}]", "icmps and toPorts")]
    [InlineData("nodeSelector: {}", "keep one of them")]
    public void Rule_ThatIsWrong_IsRefused(string rules, string reason) => Assert.Contains(reason, Texts.Read(Texts.ForWeb(rules)).Reasons(), StringComparison.Ordinal);

    private static List<JsonElement> Cases(string name)
    {
        var json = JsonDocument.Parse(File.ReadAllText(SharedFiles.Find("cases/annotation_cases.json")!));
        return [.. json.RootElement.GetProperty(name).EnumerateArray()];
    }
}
