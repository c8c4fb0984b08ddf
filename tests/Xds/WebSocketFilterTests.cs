using System;
using Cilium;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Resources;
using Postern.Xds.Text;

namespace Postern.Tests.Xds;

/// <summary>What a configuration may say of the WebSocket network filters.</summary>
public sealed class WebSocketFilterTests
{
    [Fact]
    public void ClientWithHostOnly_HasTheDefaults()
    {
        var config = (WebSocketConfig)Read(new WebSocketClient { Host = "a.b" }).Filters[0];
        Assert.Equal((WebSocketRole.Client, "/", "13", "", ""), (config.Role, config.Path, config.Version, config.Origin, config.Key));
        Assert.Equal((TimeSpan.FromSeconds(5), (TimeSpan?)null), (config.HandshakeTimeout, config.PingInterval));
    }

    [Fact]
    public void EmptyServer_ExpectsNothing()
    {
        var config = (WebSocketConfig)Read(new WebSocketServer { PingInterval = Duration.FromTimeSpan(TimeSpan.FromSeconds(3)), PingWhenIdle = true }).Filters[0];
        Assert.Equal((WebSocketRole.Server, "", "", ""), (config.Role, config.Path, config.Version, config.Host));
        Assert.Equal(TimeSpan.FromSeconds(3), config.PingInterval);
    }

    [Fact]
    public void BrokenRules_AreRefusedInCiliumsWords()
    {
        Assert.Contains("cilium.network.websocket.client: host must be non-empty.", Complaint(new WebSocketClient()), StringComparison.Ordinal);
        Assert.Contains("cilium.network.websocket: ping_when_idle requires ping_interval to be set.", Complaint(new WebSocketClient { Host = "a", PingWhenIdle = true }), StringComparison.Ordinal);
        Assert.Contains("cilium.network.websocket: ping_when_idle requires ping_interval to be set.", Complaint(new WebSocketServer { PingWhenIdle = true }), StringComparison.Ordinal);
        Assert.Contains("visible ASCII", Complaint(new WebSocketClient { Host = "a", Path = "/ HTTP/1.1\r\nx: y" }), StringComparison.Ordinal);
    }

    [Fact]
    public void BeforeOrBehindCiliumNetwork_IsAccepted()
    {
        Assert.Equal(3, Read(new WebSocketServer(), new NetworkFilter()).Filters.Count);
        Assert.Equal(4, Read(new NetworkFilter(), new WebSocketClient { Host = "a" }, new WebSocketServer()).Filters.Count);
        Assert.Contains("once", Complaint(new NetworkFilter(), new WebSocketServer(), new NetworkFilter()), StringComparison.Ordinal);
    }

    private static string Complaint(params IMessage[] filters) => Assert.Throws<XdsConfigException>(() => Read(filters)).Message;

    private static FilterChainConfig Read(params IMessage[] filters)
    {
        var chain = new FilterChain();
        foreach (var filter in filters)
        {
            chain.Filters.Add(new Filter { Name = "f", TypedConfig = Any.Pack(filter) });
        }
        chain.Filters.Add(new Filter { Name = "tcp", TypedConfig = Any.Pack(new TcpProxy { StatPrefix = "t", Cluster = "c" }) });
        return FilterChains.ToConfig(chain, ConfigPath.Empty);
    }
}
