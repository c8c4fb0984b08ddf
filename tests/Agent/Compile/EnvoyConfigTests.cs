using System;
using System.Linq;
using Cilium;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Compile;
using Postern.Xds.Config;
using Postern.Xds.Discovery;
using Postern.Xds.Resources;

namespace Postern.Tests.Agent.Compile;

public sealed class EnvoyConfigTests
{
    private const string Text =
        """
        apiVersion: cilium.io/v2
        kind: CiliumEnvoyConfig
        metadata: {name: cec, namespace: shop}
        spec:
          services: [{name: echo, namespace: default}]
          backendServices: [{name: echo, namespace: default, number: ['80', web]}]
          resources:
          - "@type": type.googleapis.com/envoy.config.listener.v3.Listener
            name: front
            filterChains:
            - filters:
              - name: envoy.filters.network.http_connection_manager
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                  stat_prefix: x
                  route_config:
                    name: inline
                    virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes: [{match: {prefix: /}, route: {cluster: default/echo}}, {match: {prefix: /own}, route: {cluster: own}}]
                  http_filters:
                  - name: envoy.filters.http.router
                    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          - {"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: own, type: STATIC, connect_timeout: 1s}
          - {"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration, name: shop/kept}
          - {"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration, name: other/made-ours}
        """;

    private const string Service = "apiVersion: v1\nkind: Service\nmetadata: {name: echo}\nspec: {selector: {app: echo}, ports: [{name: web, port: 80, targetPort: 8080}, {name: dns, port: 53, protocol: UDP}]}";

    private static CompiledNode Compile() => Texts.Compile(Text, Service,
        Texts.Endpoint("b", "10.0.0.10", "app: echo"), Texts.Endpoint("a", "10.0.0.9", "app: echo"), Texts.Endpoint("c", "10.0.0.8", "app: other"));

    [Fact]
    public void Names_AreQualified_AndReferencesFollow()
    {
        var config = Compile().EnvoyConfigs.Single();
        Assert.Equal("shop/cec", config.Name);
        var listener = config.Listeners.Single().Unpack<Listener>();
        Assert.Equal("shop/cec/front", listener.Name);
        Assert.Equal("shop/cec/own", config.Clusters.Single().Unpack<Cluster>().Name);
        Assert.Equal(["shop/cec/other/made-ours", "shop/kept"], config.Routes.Select(route => route.Unpack<RouteConfiguration>().Name).Order(StringComparer.Ordinal));
        var host = Manager(listener).RouteConfig.VirtualHosts[0];
        Assert.Equal("shop/cec/inline", Manager(listener).RouteConfig.Name);
        Assert.Equal("shop/cec/all", host.Name);
        Assert.Equal(["default/echo", "shop/cec/own"], host.Routes.Select(route => route.Route_.Cluster));
    }

    [Fact]
    public void Filters_AreInjectedBeforeTheTerminalOnes()
    {
        var listener = Compile().EnvoyConfigs.Single().Listeners.Single().Unpack<Listener>();
        Assert.Equal(["cilium.network", "envoy.filters.network.http_connection_manager"], listener.FilterChains[0].Filters.Select(filter => filter.Name));
        Assert.Equal(["cilium.l7policy", "envoy.filters.http.router"], Manager(listener).HttpFilters.Select(filter => filter.Name));
        var metadata = Assert.Single(listener.ListenerFilters);
        Assert.Equal("cilium.bpf_metadata", metadata.Name);
        var config = metadata.TypedConfig.Unpack<BpfMetadata>();
        Assert.True(config is { IsIngress: false, UseOriginalSourceAddress: true, IsL7Lb: true });
    }

    [Fact]
    public void ListenerOfServices_IsTakenByTheProxysDecoderAsALoadBalancers()
    {
        var listener = Compile().EnvoyConfigs.Single().Listeners.Single().Unpack<Listener>();
        listener.Address = new Address { SocketAddress = new SocketAddress { Address = "127.0.0.1", PortValue = 10002 } };
        var decoded = new ResourceDecoder(new DecodeOptions { RejectUnknownDynamicFields = true }).Decode(ResourceType.Listener, Any.Pack(listener), "");
        var metadata = Assert.Single(Assert.IsType<ListenerConfig>(decoded.Config).ListenerFilters.OfType<BpfMetadataConfig>());
        Assert.Equal((true, true, false), (metadata.IsL7Lb, metadata.UseOriginalSourceAddress, metadata.IsIngress));
    }

    [Fact]
    public void Services_BecomeEndpointsSortedByAddress()
    {
        var assignments = Compile().ServiceEndpoints.ToDictionary(one => one.ClusterName, one => string.Join(" ", one.Endpoints[0].LbEndpoints
            .Select(endpoint => $"{endpoint.Endpoint.Address.SocketAddress.Address}:{endpoint.Endpoint.Address.SocketAddress.PortValue}")));
        Assert.Equal(["default/echo", "default/echo:*", "default/echo:80", "default/echo:web"], assignments.Keys.Order(StringComparer.Ordinal));
        Assert.All(assignments.Values, addresses => Assert.Equal("10.0.0.9:8080 10.0.0.10:8080", addresses));
    }

    [Theory]
    [InlineData("name: front", "nam: front", "did you mean 'name'")]
    [InlineData("envoy.config.listener.v3.Listener", "envoy.config.listener.v3.Listen", "may not stand here")]
    [InlineData("type: STATIC", "type: STATICAL", "spec.resources[1].type")]
    public void Resource_ThatIsWrong_RefusesTheObject(string good, string bad, string reason)
    {
        var model = Texts.Read(Text.Replace(good, bad, StringComparison.Ordinal));
        Assert.Empty(model.EnvoyConfigs);
        var problem = Assert.Single(model.Problems);
        Assert.Contains(reason, problem.ToString(), StringComparison.Ordinal);
        Assert.InRange(problem.Line, 8, 29);
    }

    private static HttpConnectionManager Manager(Listener listener) => listener.FilterChains[0].Filters.Last().TypedConfig.Unpack<HttpConnectionManager>();
}
