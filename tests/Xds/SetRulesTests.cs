using System;
using System.Collections.Generic;
using System.Net;
using Postern.Policy.Config;
using Postern.Xds;
using Postern.Xds.Config;

namespace Postern.Tests.Xds;

/// <summary>What must hold between resources, as a holder of the whole set asks it.</summary>
public class SetRulesTests
{
    private static ListenerConfig Listener(string name, int port, ConfigSourceConfig? policy = null, NetworkFilterConfig? last = null) => new()
    {
        Name = name,
        Addresses = [new IPEndPoint(IPAddress.Loopback, port)],
        ListenerFilters = policy is null ? [] : [new BpfMetadataConfig { PolicySource = policy }],
        FilterChains = [new FilterChainConfig("", null, [last ?? new TcpProxyConfig("s", "c", null)])],
    };

    private static ClusterConfig Cluster(string name) => new(name, ClusterType.Static, TimeSpan.FromSeconds(1), [new IPEndPoint(IPAddress.Loopback, 9)]);

    private static RouteConfig Routes(string cluster) =>
        new("r", [new VirtualHostConfig("v", ["*"], [new RouteEntryConfig("", StringMatchKind.Prefix, "/", [], false, cluster, null, null)])]);

    private static readonly UpstreamTlsConfig Tls = new(new CommonTlsConfig { Validation = new ValidationContextConfig("", Google.Protobuf.ByteString.Empty) }, "");

    [Fact]
    public void SoundSet_HasNoProblem()
    {
        Assert.Null(ListenerSetRules.FindProblem([Listener("a", 1, new FileSourceConfig("p")), Listener("b", 2, new FileSourceConfig("p")), Listener("c", 0), Listener("d", 0)]));
        Assert.Null(ClusterSetRules.FindProblem([Cluster("a"), Cluster("b")]));
    }

    [Fact]
    public void SecondListenerOfANameOrAddress_IsTheProblem()
    {
        Assert.Equal((1, "name", "a second listener named 'a'"), ListenerSetRules.FindProblem([Listener("a", 1), Listener("a", 2)]));
        Assert.Equal((2, "address", "127.0.0.1:1 is taken by listener 'a'"), ListenerSetRules.FindProblem([Listener("a", 1), Listener("b", 2), Listener("c", 1)]));
        Assert.Equal((1, "name", "a second cluster named 'a'"), ClusterSetRules.FindProblem([Cluster("a"), Cluster("a")]));
    }

    [Fact]
    public void SecondPolicySource_IsTheProblem() => Assert.Equal(
        (1, "listener_filters[0].typed_config.cilium_config_source", "another listener takes its policy from 'file p'; a process has one policy source"),
        ListenerSetRules.FindProblem([Listener("a", 1, new FileSourceConfig("p")), Listener("b", 2, new FileSourceConfig("q"))]));

    [Fact]
    public void ClusterWithTls_TakesTraffic()
    {
        var clusters = new Dictionary<string, ClusterConfig> { ["c"] = Cluster("c") with { Tls = Tls } };
        Assert.Null(ClusterReferences.FindProblem(Listener("a", 1), clusters, true));
    }

    [Fact]
    public void Http2Cluster_TakesRequests()
    {
        var clusters = new Dictionary<string, ClusterConfig> { ["c"] = Cluster("c") with { HttpProtocol = ClusterHttpProtocol.Http2 } };
        var http = new HttpConnectionManagerConfig { StatPrefix = "s", RouteConfig = Routes("c") };
        Assert.Null(ClusterReferences.FindProblem(Listener("a", 1, null, http), clusters, false));
    }
}
