using System;
using System.IO;
using System.Linq;
using Postern.Policy.Config;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Tests.Xds;

public class ResourceDocumentTests
{
    private static ResourceDocument Load(string text, ResourceType type)
    {
        var path = Path.ChangeExtension(Path.GetTempFileName(), ".yaml");
        File.WriteAllText(path, text);
        try
        {
            return ResourceDocument.Load(path, type);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void PolicyFile_GivesEachTypeItsOwn()
    {
        var path = Path.Combine(SharedFiles.RepositoryRoot, "examples", "policy.yaml");
        var policies = ResourceDocument.Load(path, ResourceType.NetworkPolicy);
        var hosts = ResourceDocument.Load(path, ResourceType.NetworkPolicyHosts);
        Assert.Equal(("1", "42"), (policies.VersionInfo, Assert.Single(policies.Resources).Name));
        Assert.Equal(["1001", "1002"], hosts.Resources.Select(r => r.Name));
        Assert.IsType<NetworkPolicyConfig>(policies.Resources[0].Config);
        Assert.Equal(ResourceType.NetworkPolicy.TypeUrl, policies.Resources[0].Source.TypeUrl);
    }

    [Fact]
    public void EndpointsInAWrapper_TakeItsVersion()
    {
        var resource = Assert.Single(Load(
            """
            version_info: "1"
            resources:
            - "@type": type.googleapis.com/envoy.service.discovery.v3.Resource
              version: "7"
              resource:
                "@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
                cluster_name: c
            """,
            ResourceType.Endpoint).Resources);
        Assert.Equal(("c", "7", new EndpointsConfig("c", [])), (resource.Name, resource.Version, resource.Config));
    }

    [Theory]
    [InlineData("- { '@type': type.googleapis.com/cilium.NetworkPolicy }", "resources[0].@type: cilium.NetworkPolicy is not a resource of this source, which holds EDS")]
    [InlineData("- &a { '@type': x }", "anchors and aliases are not read")]
    [InlineData("- { '@type': type.googleapis.com/envoy.service.discovery.v3.Resource }", "resources[0].resource: is missing; the wrapper holds nothing")]
    [InlineData("- { '@type': type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment, cluster_name: c }\n- { '@type': type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment, cluster_name: c }", "3:3: resources[1]: a second resource named 'c'")]
    public void WrongFile_IsRefusedWithItsPlace(string resources, string expected) => Assert.Contains(
        expected, Assert.Throws<XdsConfigException>(() => Load("resources:\n" + resources, ResourceType.Endpoint)).Message, StringComparison.Ordinal);
}
