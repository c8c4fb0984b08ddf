using System;
using System.IO;
using System.Linq;
using System.Text;
using Postern.Xds;
using Postern.Xds.Config;

namespace Postern.Tests.Xds;

public class ResourceFileTests
{
    private static string Root => SharedFiles.RepositoryRoot;

    private static ResourceFile Parse(string text, ResourceKinds allowed = ResourceKinds.Policy) =>
        ResourceFile.Parse(Encoding.UTF8.GetBytes(text), "r.yaml", allowed);

    private static string Refused(string text, ResourceKinds allowed = ResourceKinds.Policy) =>
        Assert.Throws<XdsConfigException>(() => Parse(text, allowed)).Message;

    [Fact]
    public void EveryExample_Loads()
    {
        var bootstraps = 0;
        var resources = 0;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, "examples"), "*.yaml", SearchOption.AllDirectories))
        {
            if (Path.GetFileName(file).StartsWith("bootstrap", StringComparison.Ordinal))
            {
                BootstrapLoader.LoadFile(file);
                bootstraps++;
            }
            else if (File.ReadAllText(file).Contains("\nresources:", StringComparison.Ordinal))
            {
                ResourceFile.Load(file, ResourceKinds.Policy | ResourceKinds.Listener | ResourceKinds.Cluster);
                resources++;
            }
        }
        Assert.True(bootstraps >= 2 && resources >= 3, $"{bootstraps} bootstraps, {resources} resource files");
    }

    [Fact]
    public void PolicyExample_HoldsBothKinds()
    {
        var file = ResourceFile.Load(Path.Combine(Root, "examples", "policy.yaml"), ResourceKinds.Policy);
        Assert.Equal("1", file.VersionInfo);
        Assert.Equal([1001ul, 1002ul], file.NetworkPolicyHosts.Select(h => h.Policy));
        Assert.Equal("42", Assert.Single(file.NetworkPolicies).Name);
        Assert.Single(file.NetworkPolicies[0].Ingress[0].Rules[0].HttpRules!);
    }

    [Fact]
    public void DynamicExample_FitsTogether()
    {
        var listeners = ResourceFile.Load(Path.Combine(Root, "examples", "lds.yaml"), ResourceKinds.Listener).Listeners;
        var clusters = ResourceFile.Load(Path.Combine(Root, "examples", "cds.yaml"), ResourceKinds.Cluster).Clusters.ToDictionary(c => c.Name);
        Assert.Equal(2, listeners[0].Addresses.Count);
        Assert.Null(ClusterReferences.FindProblem(listeners[0], clusters, unknownAllowed: false));
        clusters.Clear();
        Assert.Equal(
            ("filter_chains[0].filters[0].typed_config.cluster", "unknown cluster 'backend'; define it under clusters"),
            ClusterReferences.FindProblem(listeners[0], clusters, unknownAllowed: false));
    }

    [Fact]
    public void Wrapper_NamesThePolicy()
    {
        var file = Parse("""
            resources:
            - "@type": type.googleapis.com/envoy.service.discovery.v3.Resource
              name: pod-a
              version: "3"
              resource:
                "@type": type.googleapis.com/cilium.NetworkPolicy
                endpoint_id: 5
            """);
        Assert.Equal("pod-a", Assert.Single(file.NetworkPolicies).Name);
    }

    [Fact]
    public void OtherFormatting_IsEqual() => Assert.Equal(
        Parse("""{"version_info": "1", "resources": [{"@type": "type.googleapis.com/cilium.NetworkPolicyHosts", "policy": 7, "host_addresses": ["::1"]}]}"""),
        Parse("""
            # a comment
            resources:
            - policy: "7"
              hostAddresses:
              - "::1"
              "@type": type.googleapis.com/cilium.NetworkPolicyHosts
            versionInfo: "1"
            """));

    [Fact]
    public void TypeOfAnotherSource_IsRefused() =>
        Assert.Equal(
            "r.yaml:3:3: resources[0].@type: envoy.config.cluster.v3.Cluster is not a resource of this source, which holds Policy",
            Refused("resources:\n- name: c\n  \"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster\n"));

    [Fact]
    public void ContradictingTypeUrl_IsRefused() =>
        Assert.Contains("contradicts the type_url", Refused("""
            type_url: type.googleapis.com/cilium.NetworkPolicy
            resources: [{"@type": type.googleapis.com/cilium.NetworkPolicyHosts}]
            """), StringComparison.Ordinal);

    [Fact]
    public void ErrorDeepInAResource_HasItsLine() =>
        Assert.Equal(
            "r.yaml:6:5: resources[0].ingress_per_port_policies[0].rules[0].http_rules.http_rules[0].headers[0].name: a header matcher needs a header name",
            Refused("""
                resources:
                - "@type": type.googleapis.com/cilium.NetworkPolicy
                  ingress_per_port_policies:
                  - port: 80
                    rules: [{httpRules: {http_rules: [{headers: [
                    {exact_match: x}]}]}}]
                """));

    [Fact]
    public void EqualClusterNames_AreRefused() =>
        Assert.Contains("resources[1].name: a second cluster named 'o'", Refused("""
            resources:
            - {"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: o, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED}
            - {"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: o, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED}
            """, ResourceKinds.Cluster), StringComparison.Ordinal);
}
