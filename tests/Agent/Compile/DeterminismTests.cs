using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using Google.Protobuf;
using Postern.Agent.Compile;
using Postern.Agent.Identities;
using Postern.Policy;
using Postern.Xds;

namespace Postern.Tests.Agent.Compile;

public sealed class DeterminismTests
{
    [Fact]
    public void OrderOfFilesAndRules_DoesNotChangeTheResult()
    {
        var random = new Random(7);
        for (var round = 0; round < 30; round++)
        {
            var rules = Enumerable.Range(0, 6).Select(_ => Rule(random)).ToArray();
            var denies = Enumerable.Range(0, 2).Select(_ => "{fromEndpoints: [{matchLabels: {role: other}}], toPorts: [{ports: [{port: '" + random.Next(80, 84) + "'}]}]}").ToArray();
            string? wanted = null;
            for (var shuffle = 0; shuffle < 4; shuffle++)
            {
                random.Shuffle(rules);
                random.Shuffle(denies);
                string[] texts = [.. Texts.Pods, Texts.ForWeb($"ingress: [{string.Join(", ", rules)}]\ningressDeny: [{string.Join(", ", denies)}]")];
                random.Shuffle(texts);
                var found = Show(Texts.Compile(texts));
                wanted ??= found;
                Assert.Equal(wanted, found);
            }
        }
    }

    [Fact]
    public void ThousandEndpointsAndFiftyPolicies_CompileInWellUnderASecond()
    {
        var endpoints = string.Join("\n---\n", Enumerable.Range(0, 1000).Select(i => Texts.Endpoint($"e{i}", $"10.1.{i / 250}.{(i % 250) + 1}", $"app: a{i % 100}, tier: t{i % 7}")));
        var policies = string.Join("\n---\n", Enumerable.Range(0, 50).Select(i => Texts.Policy(
            $"endpointSelector: {{matchLabels: {{app: a{i}}}}}\n"
            + $"ingress:\n- fromEndpoints: [{{matchLabels: {{tier: t{i % 7}}}}}]\n  toPorts: [{{ports: [{{port: '80', protocol: TCP}}], rules: {{http: [{{method: GET, path: '/v{i}/.*'}}]}}}}]\n"
            + $"egress:\n- toEndpoints: [{{}}]\n- toCIDRSet: [{{cidr: 172.{i}.0.0/16, except: [172.{i}.1.0/24]}}]",
            $"p{i}")));
        var model = Texts.Read(endpoints, policies);
        Assert.Empty(model.Problems);
        var compiler = new NodeCompiler(new IdentityAllocator());
        compiler.Compile(model);
        var clock = Stopwatch.StartNew();
        var node = compiler.Compile(model);
        clock.Stop();
        Assert.Equal(1000, node.Endpoints.Count);
        PolicySnapshot.Compile([.. node.Endpoints.Select(endpoint => PolicyResources.FromProto(endpoint.Policy))]);
        // Ten times what it takes on two slow cores.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed.TotalMilliseconds} ms");
        Console.WriteLine($"1,000 endpoints, 50 policies: {clock.Elapsed.TotalMilliseconds:F0} ms");
    }

    private static string Rule(Random random)
    {
        var peer = random.Next(5) switch
        {
            0 => "fromEndpoints: [{matchLabels: {role: client}}], ",
            1 => "fromCIDR: [192.168." + random.Next(3) + ".0/24, 172.16.0.0/12], ",
            2 => "fromEntities: [world, host], ",
            3 => "fromEndpoints: [{}], ",
            _ => "",
        };
        var http = random.Next(2) == 0 ? ", rules: {http: [{path: /" + random.Next(3) + "}, {method: GET}]}" : "";
        return "{" + peer + "toPorts: [{ports: [{port: '" + random.Next(80, 84) + "', protocol: TCP}]" + http + "}]}";
    }

    private static string Show(CompiledNode node)
    {
        var parts = new List<string>();
        foreach (var endpoint in node.Endpoints)
        {
            parts.Add($"{endpoint.Id} {endpoint.Identity} {Convert.ToHexString(endpoint.Policy.ToByteArray())} {string.Join(" ", endpoint.Redirects)}");
        }
        parts.AddRange(node.Hosts.Select(hosts => hosts.ToString()));
        parts.AddRange(node.Identities.Select(identity => $"{identity.Id} {string.Join(",", identity.Labels)}"));
        parts.AddRange(node.Warnings);
        return string.Join("\n", parts);
    }
}
