using System.Collections.Generic;
using System.Linq;
using Cilium;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Compile;
using Postern.Agent.Envoy;
using Postern.Policy;
using Postern.Xds.Config;
using Postern.Xds.Discovery;
using Postern.Xds.Resources;

namespace Postern.Tests.Agent.Envoy;

public sealed class AgentListenersTests
{
    [Theory]
    [InlineData(TrafficDirection.Ingress, RedirectKind.Http, "cilium-http-ingress:10001", "ingress-cluster")]
    [InlineData(TrafficDirection.Egress, RedirectKind.Http, "cilium-http-egress:10001", "egress-cluster")]
    [InlineData(TrafficDirection.Ingress, RedirectKind.Https, "cilium-https-ingress:10001", "ingress-cluster")]
    [InlineData(TrafficDirection.Egress, RedirectKind.Https, "cilium-https-egress:10001", "egress-cluster")]
    [InlineData(TrafficDirection.Ingress, RedirectKind.Tcp, "cilium-tcp-ingress:10001", "ingress-cluster")]
    [InlineData(TrafficDirection.Egress, RedirectKind.Tcp, "cilium-tcp-egress:10001", "egress-cluster")]
    public void Listener_IsAcceptedByTheProxysDecoder(TrafficDirection direction, RedirectKind kind, string name, string cluster)
    {
        var listener = AgentListeners.Build(new AgentListener(direction, kind, 10001), new AgentListenerOptions { AccessLogPath = "/run/access_log.sock" });
        var decoded = new ResourceDecoder(new DecodeOptions { RejectUnknownDynamicFields = true }).Decode(ResourceType.Listener, Any.Pack(listener), "");
        Assert.Empty(decoded.Warnings);
        Assert.Equal(name, decoded.Name);
        var config = Assert.IsType<ListenerConfig>(decoded.Config);
        Assert.Equal(["127.0.0.1:10001", "[::1]:10001"], config.Addresses.Select(address => address.ToString()));
        Assert.True(config.Transparent);
        var metadata = config.ListenerFilters.OfType<BpfMetadataConfig>().Single();
        Assert.Equal((direction == TrafficDirection.Ingress, true, true, 10001u), (metadata.IsIngress, metadata.UseOriginalSourceAddress, metadata.UseNphds, metadata.ProxyId));
        Assert.Single(config.ListenerFilters.OfType<TlsInspectorConfig>());
        Assert.All(config.FilterChains, chain => Assert.Equal("/run/access_log.sock", Assert.IsType<CiliumNetworkConfig>(chain.Filters[0]).AccessLogPath));
        // Plain bytes go to the plain cluster, TLS to the one that wraps where policy says so.
        Assert.Equal(["raw", "tls"], config.FilterChains.Select(chain => chain.Name is "tls" ? "tls" : "raw"));
        Assert.Equal([false, kind != RedirectKind.Http], config.FilterChains.Select(chain => chain.TlsByPolicy));
        Assert.All(config.FilterChains, chain => Assert.All(
            chain.Filters.OfType<TcpProxyConfig>(), tcp => Assert.Equal(chain.Name == "tls" && kind != RedirectKind.Http ? cluster + "-tls" : cluster, tcp.Cluster)));
        var managers = config.FilterChains.SelectMany(chain => chain.Filters).OfType<HttpConnectionManagerConfig>().ToList();
        Assert.Equal(kind switch { RedirectKind.Tcp => 0, RedirectKind.Http => 1, _ => 2 }, managers.Count);
        Assert.All(managers, manager => Assert.Single(manager.HttpFilters.OfType<L7PolicyConfig>()));
        Assert.Equal(kind switch
        {
            RedirectKind.Tcp => [],
            RedirectKind.Http => [cluster, cluster],
            _ => [cluster, cluster, cluster + "-tls", cluster + "-tls"],
        }, RouteClusters(listener));
    }

    [Fact]
    public void PolicySource_IsTheAgentsSocket()
    {
        var metadata = MetadataOf(AgentListeners.Build(new AgentListener(TrafficDirection.Ingress, RedirectKind.Http, 10001), new AgentListenerOptions()));
        Assert.Equal(ApiConfigSource.Types.ApiType.Grpc, metadata.CiliumConfigSource.ApiConfigSource.ApiType);
        Assert.Equal("xds-grpc-cilium", metadata.CiliumConfigSource.ApiConfigSource.GrpcServices.Single().EnvoyGrpc.ClusterName);
    }

    [Fact]
    public void HostWithoutIPv6_ListensOnIPv4Alone()
    {
        var listener = AgentListeners.Build(new AgentListener(TrafficDirection.Ingress, RedirectKind.Tcp, 10001), new AgentListenerOptions { HasIPv6 = false });
        Assert.Empty(listener.AdditionalAddresses);
        Assert.Equal("127.0.0.1", listener.Address.SocketAddress.Address);
    }

    private static IEnumerable<string> RouteClusters(Listener listener) =>
        from chain in listener.FilterChains
        from filter in chain.Filters
        where filter.TypedConfig.Is(HttpConnectionManager.Descriptor)
        from host in filter.TypedConfig.Unpack<HttpConnectionManager>().RouteConfig.VirtualHosts
        from route in host.Routes
        select route.Route_.Cluster;

    private static BpfMetadata MetadataOf(Listener listener) => listener.ListenerFilters.Single(filter => filter.Name == "cilium.bpf_metadata").TypedConfig.Unpack<BpfMetadata>();
}
