using System;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Cilium;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Policy.Config;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Discovery;
using static Postern.Tests.Xds.WireResources;

namespace Postern.Tests.Xds;

public class ResourceDecoderTests
{
    private static ConfigSource Grpc(string cluster) => new()
    {
        ApiConfigSource = new ApiConfigSource
        {
            ApiType = ApiConfigSource.Types.ApiType.Grpc,
            GrpcServices = { new GrpcService { EnvoyGrpc = new() { ClusterName = cluster } } },
        },
    };

    private static Cluster EdsCluster() => new()
    {
        Name = "ns:svc:80",
        Type = Cluster.Types.DiscoveryType.Eds,
        EdsClusterConfig = new() { ServiceName = "ns/svc:80", EdsConfig = Grpc("xds-grpc-cilium") },
        LbPolicy = Cluster.Types.LbPolicy.LeastRequest,
        OutlierDetection = new OutlierDetection { SplitExternalLocalOriginErrors = true, ConsecutiveLocalOriginFailure = 2 },
    };

    [Fact]
    public void AgentsHttpListener_IsDecoded()
    {
        var decoded = Decode(ResourceType.Listener, HttpListener());
        Assert.Equal(("cilium-http-egress:12345", 0), (decoded.Name, decoded.Warnings.Count));
        var listener = Assert.IsType<ListenerConfig>(decoded.Config);
        Assert.Equal([IPEndPoint.Parse("127.0.0.1:12345"), IPEndPoint.Parse("[::1]:12345")], listener.Addresses);
        var metadata = Assert.IsType<BpfMetadataConfig>(listener.ListenerFilters[1]);
        Assert.Equal((true, true, 12345u, 0u), (metadata.UseNphds, metadata.UseOriginalSourceAddress, metadata.ProxyId, metadata.OriginalSourceSoLingerTime!.Value));
        Assert.Equal(new GrpcSourceConfig("xds-grpc-cilium", DiscoveryVariant.StateOfTheWorld, TimeSpan.FromMilliseconds(50)), metadata.PolicySource);
        var manager = Assert.IsType<HttpConnectionManagerConfig>(listener.FilterChains[0].Filters[1]);
        Assert.Equal((true, true, EscapedSlashesAction.UnescapeAndRedirect), (manager.NormalizePath, manager.MergeSlashes, manager.EscapedSlashesAction));
        Assert.Equal((true, true, 1), (manager.UseRemoteAddress, manager.SkipXffAppend, manager.XffTrustedHops));
        Assert.Equal([new CidrConfig(IPAddress.Parse("10.0.0.0"), 8)], manager.InternalRanges);
        Assert.Equal([new L7PolicyConfig("/a.sock", "no"), new RouterConfig()], manager.HttpFilters);
        Assert.Equal([true, false], manager.RouteConfig!.VirtualHosts[0].Routes.Select(r => r.GrpcOnly));
        Assert.Equal("tls", listener.FilterChains[1].Match!.TransportProtocol);
    }

    [Fact]
    public void AgentsTcpListener_IsDecoded()
    {
        var listener = (ListenerConfig)Decode(ResourceType.Listener, TcpListener()).Config;
        Assert.Equal(["egress-cluster", "egress-cluster-tls"], listener.FilterChains.Select(c => ((TcpProxyConfig)c.Filters[1]).Cluster));
    }

    [Fact]
    public void SameListenerTwice_ComparesEqual() =>
        Assert.Equal(Decode(ResourceType.Listener, HttpListener()).Config, Decode(ResourceType.Listener, HttpListener()).Config);

    [Fact]
    public void RoutesByDiscovery_AreDecoded()
    {
        var listener = HttpListener();
        var manager = Manager(listener);
        manager.Rds = new Rds { RouteConfigName = "r", ConfigSource = new ConfigSource { Ads = new() } };
        SetManager(listener, manager);
        var config = (HttpConnectionManagerConfig)((ListenerConfig)Decode(ResourceType.Listener, listener).Config).FilterChains[0].Filters[1];
        Assert.Equal((null, new RdsConfig("r", new AdsSourceConfig(TimeSpan.FromSeconds(15)))), (config.RouteConfig, config.Rds));
        manager.Rds.ConfigSource = null;
        SetManager(listener, manager);
        Assert.StartsWith("filter_chains[0].filters[1].typed_config.rds.config_source: is missing; name the source", Refused(ResourceType.Listener, listener), StringComparison.Ordinal);
        manager.ClearRouteSpecifier();
        SetManager(listener, manager);
        Assert.Contains("typed_config: needs route_config, or rds", Refused(ResourceType.Listener, listener), StringComparison.Ordinal);
    }

    [Fact]
    public void TransportSocketOfAChain_IsTlsOrPolicyOrRaw()
    {
        var listener = HttpListener();
        Assert.True(((ListenerConfig)Decode(ResourceType.Listener, listener).Config).FilterChains[1].TlsByPolicy);
        listener.FilterChains[1].TransportSocket.TypedConfig = Any.Pack(new Envoy.Extensions.TransportSockets.Tls.V3.DownstreamTlsContext());
        Assert.StartsWith("filter_chains[1].transport_socket.typed_config.common_tls_context: has no certificate", Refused(ResourceType.Listener, listener), StringComparison.Ordinal);
        listener.FilterChains[1].TransportSocket.TypedConfig = Any.Pack(new Envoy.Extensions.TransportSockets.Tls.V3.DownstreamTlsContext
        {
            CommonTlsContext = new() { TlsCertificateSdsSecretConfigs = { new Envoy.Extensions.TransportSockets.Tls.V3.SdsSecretConfig { Name = "own" } }, AlpnProtocols = { "h2,http/1.1" } },
        });
        listener.FilterChains[1].TransportSocketConnectTimeout = new() { Seconds = 3 };
        var chain = ((ListenerConfig)Decode(ResourceType.Listener, listener).Config).FilterChains[1];
        Assert.Equal((["h2", "http/1.1"], "own", TimeSpan.FromSeconds(3)), (chain.Tls!.Common.AlpnProtocols, chain.Tls.Common.CertificateSecrets[0].Name, chain.HandshakeTimeout));
        listener.FilterChains[1].TransportSocket.TypedConfig = Any.Pack(new UpstreamTlsWrapperContext());
        Assert.Contains("is not a transport socket of a filter chain", Refused(ResourceType.Listener, listener), StringComparison.Ordinal);
        listener.FilterChains[1].TransportSocket.TypedConfig = Any.Pack(new Envoy.Extensions.TransportSockets.RawBuffer.V3.RawBuffer());
        Decode(ResourceType.Listener, listener);
    }

    [Fact]
    public void EdsCluster_IsDecoded()
    {
        var config = (ClusterConfig)Decode(ResourceType.Cluster, EdsCluster()).Config;
        Assert.Equal(new EdsConfig("ns/svc:80", new GrpcSourceConfig("xds-grpc-cilium", DiscoveryVariant.StateOfTheWorld, TimeSpan.FromSeconds(15)) { NodeOnFirstMessageOnly = false }), config.Eds);
        Assert.Equal((ClusterType.Eds, ClusterHttpProtocol.Http1, 0), (config.Type, config.HttpProtocol, config.Endpoints.Count));
        var unnamed = EdsCluster();
        unnamed.EdsClusterConfig.ServiceName = "";
        Assert.Equal("ns:svc:80", ((ClusterConfig)Decode(ResourceType.Cluster, unnamed).Config).Eds!.ServiceName);
    }

    [Theory]
    [InlineData("explicit2", ClusterHttpProtocol.Http2)]
    [InlineData("explicit1", ClusterHttpProtocol.Http1)]
    [InlineData("downstream", ClusterHttpProtocol.Downstream)]
    [InlineData("auto", ClusterHttpProtocol.Auto)]
    public void ProtocolOfACluster_IsKept(string form, ClusterHttpProtocol expected)
    {
        var options = new Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions { CommonHttpProtocolOptions = new() { IdleTimeout = Seconds(60) } };
        switch (form)
        {
            case "explicit2":
                options.ExplicitHttpConfig = new() { Http2ProtocolOptions = new() };
                break;
            case "explicit1":
                options.ExplicitHttpConfig = new() { HttpProtocolOptions = new() };
                break;
            case "downstream":
                options.UseDownstreamProtocolConfig = new() { Http2ProtocolOptions = new() };
                break;
            default:
                options.AutoConfig = new();
                break;
        }
        var cluster = EdsCluster();
        cluster.TypedExtensionProtocolOptions.Add("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", Any.Pack(options));
        Assert.Equal(expected, ((ClusterConfig)Decode(ResourceType.Cluster, cluster).Config).HttpProtocol);
    }

    [Fact]
    public void NamesOfTlsServersTakenFromRequests_AreRead()
    {
        var cluster = EdsCluster();
        cluster.TypedExtensionProtocolOptions.Add(
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            Any.Pack(new Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions { UpstreamHttpProtocolOptions = new() { AutoSni = true } }));
        var config = (ClusterConfig)Decode(ResourceType.Cluster, cluster).Config;
        Assert.Equal((true, false), (config.AutoSni, config.AutoSanValidation));
    }

    [Fact]
    public void RouteTable_IsDecodedByItsName()
    {
        var routes = new RouteConfiguration
        {
            Name = "listener-insecure",
            VirtualHosts = { new VirtualHost { Name = "v", Domains = { "*" }, Routes = { new Route { Match = new() { Prefix = "/a" }, Route_ = new() { Cluster = "c", PrefixRewrite = "/b" } } } } },
        };
        var decoded = Decode(ResourceType.Route, routes);
        Assert.Equal("listener-insecure", decoded.Name);
        Assert.Equal("/b", ((RouteConfig)decoded.Config).VirtualHosts[0].Routes[0].PrefixRewrite);
        Assert.Empty(((RouteConfig)Decode(ResourceType.Route, new RouteConfiguration { Name = "empty" }).Config).VirtualHosts);
        Assert.StartsWith("name: must not be empty", Refused(ResourceType.Route, new RouteConfiguration()), StringComparison.Ordinal);
    }

    [Fact]
    public void Endpoints_KeepPriorityWeightAndHealth()
    {
        static LbEndpoint At(string ip, HealthStatus health, uint? weight = null) =>
            new() { Endpoint = new() { Address = Socket(ip, 80) }, HealthStatus = health, LoadBalancingWeight = weight };
        var assignment = new ClusterLoadAssignment
        {
            ClusterName = "ns/svc:80",
            Policy = new() { OverprovisioningFactor = 140 },
            Endpoints =
            {
                new LocalityLbEndpoints { Locality = new() { Zone = "a" }, LbEndpoints = { At("10.0.0.1", HealthStatus.Unknown, 3), At("10.0.0.2", HealthStatus.Draining) } },
                new LocalityLbEndpoints { Priority = 1, LbEndpoints = { At("10.0.0.1", HealthStatus.Healthy, 9), At("10.0.0.3", HealthStatus.Degraded), new LbEndpoint { Endpoint = new() { Address = new() { Pipe = new() { Path = "/s" } } } } } },
            },
        };
        var decoded = Decode(ResourceType.Endpoint, assignment);
        Assert.Equal("ns/svc:80", decoded.Name);
        Assert.Equal(
            [
                new LbEndpointConfig(IPEndPoint.Parse("10.0.0.1:80"), 0, 3, true),
                new LbEndpointConfig(IPEndPoint.Parse("10.0.0.2:80"), 0, 1, false),
                new LbEndpointConfig(IPEndPoint.Parse("10.0.0.3:80"), 1, 1, true),
                new LbEndpointConfig(new UnixDomainSocketEndPoint("/s"), 1, 1, true),
            ],
            ((EndpointsConfig)decoded.Config).Endpoints);
        Assert.Equal(decoded.Config, Decode(ResourceType.Endpoint, assignment).Config);
        assignment.Endpoints[1].LbEndpoints[1].LoadBalancingWeight = 0;
        Assert.StartsWith("endpoints[1].lb_endpoints[1].load_balancing_weight: must be at least 1", Refused(ResourceType.Endpoint, assignment), StringComparison.Ordinal);
        assignment.Endpoints[1].LbEndpoints[1].LoadBalancingWeight = 1;
        assignment.Endpoints[1].LbEndpoints[1].HealthStatus = (HealthStatus)77;
        Assert.StartsWith("endpoints[1].lb_endpoints[1].health_status: value 77 is not known", Refused(ResourceType.Endpoint, assignment), StringComparison.Ordinal);
        assignment.Endpoints[1].Priority = 129;
        Assert.StartsWith("endpoints[1].priority: 129 is not within 0 to 128", Refused(ResourceType.Endpoint, assignment), StringComparison.Ordinal);
    }

    [Fact]
    public void Policy_TakesTheNameOfItsWrapper()
    {
        var decoded = Decode(ResourceType.NetworkPolicy, PodPolicy());
        Assert.Equal(("42", "42"), (decoded.Name, ((NetworkPolicyConfig)decoded.Config).Name));
        Assert.Equal("pod", Decode(ResourceType.NetworkPolicy, PodPolicy(), "pod").Name);
    }

    [Fact]
    public void Hosts_AreNamedByTheirIdentity()
    {
        var decoded = Decode(ResourceType.NetworkPolicyHosts, new NetworkPolicyHosts { Policy = 16777217, HostAddresses = { "10.0.0.0/8" } });
        Assert.Equal(("16777217", new NetworkPolicyHostsConfig(16777217, ["10.0.0.0/8"])), (decoded.Name, decoded.Config));
    }

    [Fact]
    public void ResourceOfAnotherType_IsRefused() => Assert.Equal(
        "@type: expected type.googleapis.com/envoy.config.cluster.v3.Cluster, found 'type.googleapis.com/cilium.NetworkPolicy'",
        Assert.Throws<XdsConfigException>(() => new Postern.Xds.Resources.ResourceDecoder(new()).Decode(
            ResourceType.Cluster, Any.Pack(PodPolicy()), "")).Message);

    [Fact]
    public void ResourceLongerThanTheBound_IsRefused() => Assert.Contains(
        "bytes are more than the bound of 10", Refused(ResourceType.NetworkPolicy, PodPolicy(), new() { MaxResourceBytes = 10 }), StringComparison.Ordinal);
}
