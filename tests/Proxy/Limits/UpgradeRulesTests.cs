using System.Linq;
using Postern.Proxy.Http;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Limits;

/// <summary><c>upgrade_configs</c> of listeners and routes.</summary>
public sealed class UpgradeRulesTests
{
    [Theory]
    [InlineData("websocket", true)]
    [InlineData("WebSocket", true)]
    [InlineData("websocke", false)]
    [InlineData("websocket2", false)]
    [InlineData("connect", true)]
    [InlineData("spdy", false)] // named, but switched off
    [InlineData("", false)]
    public void OnlyWhatIsNamed_IsAllowed(string protocol, bool expected) =>
        Assert.Equal(expected, Rules(("websocket", true), ("CONNECT", true), ("spdy", false)).Allows(protocol));

    [Fact]
    public void WithoutConfiguration_NothingIsAllowed()
    {
        Assert.False(UpgradeRules.None.Allows("websocket"));
        Assert.False(default(UpgradeRules).Any);
        Assert.False(Rules(("websocket", false)).Any);
    }

    [Theory]
    [InlineData("websocket", false)] // the route takes it away
    [InlineData("CONNECT", true)] // the route adds it
    [InlineData("spdy", true)] // the route says nothing
    [InlineData("other", false)]
    public void Route_OverridesWhatItNames(string protocol, bool expected)
    {
        var route = HeadOf.Route(new RouteEntryConfig("", Postern.Policy.Config.StringMatchKind.Prefix, "/", [], false, "c", null, null)
        {
            Upgrades = [new UpgradeConfig("WEBSOCKET", false), new UpgradeConfig("connect", true)],
        });
        Assert.Equal(expected, route.Allows(Rules(("websocket", true), ("spdy", true)), protocol));
    }

    private static UpgradeRules Rules(params (string Type, bool Enabled)[] configs) => new(configs.Select(c => new UpgradeConfig(c.Type, c.Enabled)).ToList());
}
