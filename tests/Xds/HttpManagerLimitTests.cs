using System;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Postern.Xds;
using Postern.Xds.Config;
using Postern.Xds.Resources;
using Postern.Xds.Text;

namespace Postern.Tests.Xds;

/// <summary>Versions, upgrades and durations of connection managers and routes.</summary>
public sealed class HttpManagerLimitTests
{
    [Fact]
    public void Silence_HasTheDefaults()
    {
        var config = Read(_ => { });
        Assert.Equal((CodecType.Auto, Http2ProtocolConfig.Default), (config.Codec, config.Http2));
        Assert.Equal((null, null, null, 0), (config.RequestTimeout, config.MaxConnectionDuration, config.MaxStreamDuration, config.MaxRequestsPerConnection));
        Assert.Equal((TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(1), 0), (config.DrainTimeout, config.DelayedCloseTimeout, config.Upgrades.Count));
    }

    [Fact]
    public void AllFields_AreRead()
    {
        var config = Read(manager =>
        {
            manager.CodecType = HttpConnectionManager.Types.CodecType.Http2;
            manager.Http2ProtocolOptions = new() { MaxConcurrentStreams = 5 };
            manager.HttpProtocolOptions = new() { AcceptHttp10 = true };
            manager.StreamErrorOnInvalidHttpMessage = true; // taken, of no effect
            manager.UpgradeConfigs.Add(new HttpConnectionManager.Types.UpgradeConfig { UpgradeType = "websocket" });
            manager.UpgradeConfigs.Add(new HttpConnectionManager.Types.UpgradeConfig { UpgradeType = "CONNECT", Enabled = false });
            manager.RequestTimeout = Seconds(1);
            manager.DrainTimeout = Seconds(2);
            manager.DelayedCloseTimeout = Seconds(0);
            manager.Proxy100Continue = true;
            manager.CommonHttpProtocolOptions = new() { MaxConnectionDuration = Seconds(3), MaxStreamDuration = Seconds(4), MaxRequestsPerConnection = 5 };
        });
        Assert.Equal((CodecType.Http2, 5), (config.Codec, config.Http2.MaxConcurrentStreams));
        Assert.Equal([new UpgradeConfig("websocket", true), new UpgradeConfig("CONNECT", false)], config.Upgrades);
        Assert.Equal((TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(4), 5), (config.RequestTimeout, config.MaxConnectionDuration, config.MaxStreamDuration, config.MaxRequestsPerConnection));
        Assert.Equal((TimeSpan.FromSeconds(2), TimeSpan.Zero), (config.DrainTimeout, config.DelayedCloseTimeout));
    }

    [Theory]
    [InlineData("h2c", "upgrade_configs[0].upgrade_type: h2c is no upgrade to allow")]
    [InlineData("web socket", "upgrade_configs[0].upgrade_type: 'web socket' is no protocol name")]
    [InlineData("", "upgrade_configs[0].upgrade_type: must not be empty")]
    public void BadUpgrade_IsRefused(string type, string expected) =>
        Assert.Contains(expected, Refused(manager => manager.UpgradeConfigs.Add(new HttpConnectionManager.Types.UpgradeConfig { UpgradeType = type })), StringComparison.Ordinal);

    [Fact]
    public void SecondUpgradeOfAType_IsRefused() => Assert.Contains(
        "upgrade_configs[1].upgrade_type: 'WEBSOCKET' stands twice",
        Refused(manager =>
        {
            manager.UpgradeConfigs.Add(new HttpConnectionManager.Types.UpgradeConfig { UpgradeType = "websocket" });
            manager.UpgradeConfigs.Add(new HttpConnectionManager.Types.UpgradeConfig { UpgradeType = "WEBSOCKET" });
        }),
        StringComparison.Ordinal);

    [Fact]
    public void Http3_IsRefused() =>
        Assert.Contains("codec_type: Http3 is not built in", Refused(manager => manager.CodecType = HttpConnectionManager.Types.CodecType.Http3), StringComparison.Ordinal);

    [Fact]
    public void Route_HasItsOwn()
    {
        var route = Read(manager => manager.RouteConfig.VirtualHosts[0].Routes[0] = new Route
        {
            Match = new RouteMatch { ConnectMatcher = new() },
            Route_ = new RouteAction
            {
                Cluster = "c",
                UpgradeConfigs = { new RouteAction.Types.UpgradeConfig { UpgradeType = "CONNECT" } },
                MaxStreamDuration = new() { MaxStreamDuration_ = Seconds(0), GrpcTimeoutHeaderMax = Seconds(2), GrpcTimeoutHeaderOffset = Seconds(1) },
            },
        }).RouteConfig!.VirtualHosts[0].Routes[0];
        Assert.True(route.Connect);
        Assert.Equal([new UpgradeConfig("CONNECT", true)], route.Upgrades);
        Assert.Equal((TimeSpan.Zero, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1)), (route.MaxStreamDuration, route.GrpcTimeoutHeaderMax, route.GrpcTimeoutHeaderOffset));
        Assert.Null(Read(_ => { }).RouteConfig!.VirtualHosts[0].Routes[0].MaxStreamDuration);
    }

    [Fact]
    public void RewriteBehindConnect_IsRefused() => Assert.Contains(
        "has nothing to replace behind safe_regex or connect_matcher",
        Refused(manager => manager.RouteConfig.VirtualHosts[0].Routes[0] = new Route { Match = new() { ConnectMatcher = new() }, Route_ = new() { Cluster = "c", PrefixRewrite = "/" } }),
        StringComparison.Ordinal);

    private static HttpConnectionManagerConfig Read(Action<HttpConnectionManager> change)
    {
        var manager = new HttpConnectionManager
        {
            StatPrefix = "s",
            RouteConfig = new RouteConfiguration
            {
                VirtualHosts = { new VirtualHost { Name = "v", Domains = { "*" }, Routes = { new Route { Match = new() { Prefix = "/" }, Route_ = new() { Cluster = "c" } } } } },
            },
            HttpFilters = { new HttpFilter { Name = "envoy.filters.http.router", TypedConfig = Any.Pack(new Router()) } },
        };
        change(manager);
        return HttpConnectionManagers.ToConfig(manager, ConfigPath.Empty);
    }

    private static string Refused(Action<HttpConnectionManager> change) => Assert.Throws<XdsConfigException>(() => Read(change)).Message;

    private static Duration Seconds(int seconds) => new() { Seconds = seconds };
}
