using System.Collections.Generic;
using System.Linq;
using System.Net;
using Cilium;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Agent.Compile;
using Postern.Agent.Envoy;
using Postern.Policy;
using Postern.Xds.Discovery;
using SocketAddress = Envoy.Config.Core.V3.SocketAddress;

namespace Postern.Tests.Agent.Envoy;

public sealed class AgentResourcesTests
{
    private readonly List<string> warnings = [];

    [Fact]
    public void EmptyNode_HasAllTypes()
    {
        var resources = From(CompiledNode.Empty);
        Assert.Equal(ResourceType.All.Count, resources.Count);
        Assert.All(resources.Values, Assert.Empty);
    }

    [Fact]
    public void PoliciesAndHosts_AreNamedByNumber()
    {
        var node = new CompiledNode
        {
            Endpoints = [Endpoint(42)],
            Hosts = [new NetworkPolicyHosts { Policy = 1001, HostAddresses = { "10.0.0.1/32" } }],
            Secrets = [Any.Pack(new Secret { Name = "ns/tls" })],
            ServiceEndpoints = [new ClusterLoadAssignment { ClusterName = "ns/name:80" }],
        };
        var resources = From(node, AgentListeners.Build(new AgentListener(TrafficDirection.Ingress, RedirectKind.Http, 10001), new AgentListenerOptions()));
        Assert.Equal("42", resources[ResourceType.NetworkPolicy].Keys.Single());
        Assert.Equal("1001", resources[ResourceType.NetworkPolicyHosts].Keys.Single());
        Assert.Equal("ns/tls", resources[ResourceType.Secret].Keys.Single());
        Assert.Equal("ns/name:80", resources[ResourceType.Endpoint].Keys.Single());
        Assert.Equal("cilium-http-ingress:10001", resources[ResourceType.Listener].Keys.Single());
        Assert.All(resources, pair => Assert.All(pair.Value.Values, any => Assert.Equal(pair.Key.TypeUrl, any.TypeUrl)));
    }

    [Fact]
    public void MessageThatIsKept_IsSerialisedOnce()
    {
        var node = new CompiledNode { Endpoints = [Endpoint(42)] };
        Assert.Same(From(node)[ResourceType.NetworkPolicy]["42"], From(node)[ResourceType.NetworkPolicy]["42"]);
    }

    [Fact]
    public void ListenerWithoutAddress_GetsItsPort()
    {
        var metadata = new ListenerFilter { Name = "cilium.bpf_metadata", TypedConfig = Any.Pack(new BpfMetadata { UseNphds = true }) };
        var resources = From(Config(new Listener { Name = "ns/cec/l", ListenerFilters = { metadata } }));
        var listener = resources[ResourceType.Listener]["ns/cec/l"].Unpack<Listener>();
        Assert.Equal(("127.0.0.1", 12345u), (listener.Address.SocketAddress.Address, listener.Address.SocketAddress.PortValue));
        Assert.Equal("::1", listener.AdditionalAddresses.Single().Address.SocketAddress.Address);
        Assert.Equal(12345u, listener.ListenerFilters.Single().TypedConfig.Unpack<BpfMetadata>().ProxyId);
    }

    [Fact]
    public void ListenerWithAddress_KeepsIt()
    {
        var address = new Address { SocketAddress = new SocketAddress { Address = IPAddress.Any.ToString(), PortValue = 80 } };
        var listener = From(Config(new Listener { Name = "l", Address = address }))[ResourceType.Listener]["l"].Unpack<Listener>();
        Assert.Equal(address, listener.Address);
        Assert.Empty(listener.AdditionalAddresses);
    }

    [Fact]
    public void TwoOfOneName_KeepTheFirstAndWarn()
    {
        var config = new CompiledEnvoyConfig(
            "ns/cec",
            [],
            [Any.Pack(new Cluster { Name = "default/echo" }), Any.Pack(new Cluster { Name = "default/echo" }), Any.Pack(new Cluster { Name = "default/echo", Type = Cluster.Types.DiscoveryType.Eds })],
            [Any.Pack(new RouteConfiguration { Name = "r" })],
            [],
            []);
        var resources = From(new CompiledNode { EnvoyConfigs = [config] });
        Assert.Equal(Cluster.Types.DiscoveryType.Static, resources[ResourceType.Cluster]["default/echo"].Unpack<Cluster>().Type);
        Assert.Single(resources[ResourceType.Route]);
        Assert.Contains("default/echo", Assert.Single(warnings));
    }

    private IReadOnlyDictionary<ResourceType, IReadOnlyDictionary<string, Any>> From(CompiledNode node, params Listener[] listeners) =>
        AgentResources.From(node, listeners, _ => 12345, new AgentListenerOptions(), warnings.Add);

    private static CompiledNode Config(Listener listener) =>
        new() { EnvoyConfigs = [new CompiledEnvoyConfig("ns/cec", [Any.Pack(listener)], [], [], [], [])] };

    private static CompiledEndpoint Endpoint(ushort id) => new()
    {
        Id = id,
        Name = "ns/pod",
        Identity = 1001,
        Labels = [],
        Addresses = [],
        Policy = new NetworkPolicy { EndpointId = id, EndpointIps = { "10.0.0.1" } },
        IngressEnforced = true,
        EgressEnforced = false,
        Redirects = [],
    };
}
