using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Postern.Agent.Compile;
using Postern.Agent.Identities;
using Postern.Agent.Model;

namespace Postern.Tests.Agent.Model;

public sealed class FolderFuzzTests
{
    private static readonly string[] Words =
    [
        "apiVersion", "kind", "metadata", "name", "namespace", "labels", "annotations", "spec", "specs", "endpointSelector", "matchLabels", "matchExpressions", "key",
        "operator", "values", "ingress", "egress", "ingressDeny", "fromEndpoints", "toEndpoints", "fromCIDR", "fromCIDRSet", "cidr", "except", "fromEntities", "toPorts", "ports",
        "port", "endPort", "protocol", "rules", "http", "path", "headers", "headerMatches", "mismatch", "kafka", "dns", "l7", "l7proto", "serverNames", "listener", "ips", "id",
        "resources", "@type", "services", "selector", "data", "stringData", "enableDefaultDeny", "terminatingTLS", "secret", "icmps", "fields", "authentication", "mode",
    ];

    private static readonly string[] Values =
    [
        "\"80\"", "80", "-1", "99999999999999999999", "true", "~", "\"\"", "a", "\"*\"", "\"(\"", "10.0.0.0/8", "\"::/0\"", "10.0.0.0/99", "In", "TCP", "UDP", "all", "world",
        "\"\\u0000\"", "\"<Ingress/80/TCP/HTTP>\"", "\"k8s:a\"", "type.googleapis.com/envoy.config.cluster.v3.Cluster", "LOG", "{}", "[]",
    ];

    private static readonly string[] Heads =
    [
        "\"apiVersion\": \"cilium.io/v2\", \"kind\": \"CiliumNetworkPolicy\", \"metadata\": {\"name\": \"x\"}",
        "\"apiVersion\": \"cilium.io/v2\", \"kind\": \"CiliumClusterwideNetworkPolicy\", \"metadata\": {\"name\": \"x\"}",
        "\"apiVersion\": \"cilium.io/v2\", \"kind\": \"CiliumEnvoyConfig\", \"metadata\": {\"name\": \"x\"}",
        "\"apiVersion\": \"postern.io/v1\", \"kind\": \"Endpoint\", \"metadata\": {\"name\": \"x\"}",
        "\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"x\"}",
        "\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {\"name\": \"x\"}",
    ];

    [Fact]
    public void RandomTree_GivesProblemsOrAModelThatCompiles()
    {
        var random = new Random(20261121);
        for (var i = 0; i < 4_000; i++)
        {
            var body = Tree(random, 0, map: true);
            var text = $"{{{Heads[random.Next(Heads.Length)]}, \"spec\": {body}}}";
            var model = Texts.Read(text);
            Assert.True(model.Problems.Count > 0 || model.Objects.Count > 0, text);
            new NodeCompiler(new IdentityAllocator()).Compile(model);
        }
    }

    [Fact]
    public void RandomBytes_NeverThrow() => Prop.ForAll<byte[]>(bytes =>
    {
        NodeFolder.Read([("a.yaml", bytes), ("b.json", bytes)], null);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void GoodPolicyWithOneByteChanged_NeverThrows()
    {
        var good = Encoding.UTF8.GetBytes(Texts.ForWeb("ingress:\n- fromEndpoints: [{matchLabels: {a: b}}]\n  toPorts:\n  - ports: [{port: '80', protocol: TCP}]\n    rules: {http: [{path: '/a|b'}]}"));
        var random = new Random(1);
        for (var i = 0; i < 3_000; i++)
        {
            var bytes = (byte[])good.Clone();
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            new NodeCompiler(new IdentityAllocator()).Compile(NodeFolder.Read([("a.yaml", bytes)], null));
        }
    }

    // Words that fit where they stand are likelier than chance would make them.
    private static string Tree(Random random, int depth, bool map)
    {
        if (depth > 7 || (!map && random.Next(3) == 0))
        {
            return Values[random.Next(Values.Length)];
        }
        var items = new List<string>();
        if (map || random.Next(2) == 0)
        {
            foreach (var word in Enumerable.Range(0, random.Next(1, 4)).Select(_ => Words[random.Next(Words.Length)]).Distinct())
            {
                items.Add($"\"{word}\": {Tree(random, depth + 1, random.Next(3) == 0)}");
            }
            return "{" + string.Join(", ", items) + "}";
        }
        for (var i = random.Next(3); i >= 0; i--)
        {
            items.Add(Tree(random, depth + 1, random.Next(2) == 0));
        }
        return "[" + string.Join(", ", items) + "]";
    }
}
