using System;
using System.Linq;
using System.Text.Json;
using Postern.Tests.Netns.Proxy;
using Postern.Xds.Discovery;

namespace Postern.Tests.Netns.ControlPlane;

/// <summary>The admin socket of the real proxy, as an agent or a person with curl sees it.</summary>
public sealed class AdminTests : IDisposable
{
    private readonly ControlPlaneRig _rig = new(ControlPlaneRig.Apart);

    public void Dispose() => _rig.Dispose();

    [ControlPlaneFact]
    public void Ready_FollowsTheStart()
    {
        var server = _rig.StartServer();
        server.Mute(true);
        _rig.StartProxy();
        _rig.WaitPage("/ready", "PRE_INITIALIZING");
        Assert.Equal("503", _rig.AdminStatus("GET", "/ready"));

        server.Mute(false);
        _rig.PublishWorld(server);

        _rig.WaitLive();
        Assert.Equal("200", _rig.AdminStatus("GET", "/ready"));
    }

    [ControlPlaneFact]
    public void ConfigDump_HasThePolicyOfAnAddress()
    {
        Serve();

        using var all = JsonDocument.Parse(_rig.Admin("/config_dump"));
        var section = all.RootElement.GetProperty("configs").EnumerateArray().Single(c => c.Text("@type").EndsWith("cilium.NetworkPoliciesConfigDump", StringComparison.Ordinal));
        Assert.Equal("42", Assert.Single(section.GetProperty("networkpolicies").EnumerateArray()).GetProperty("endpoint_id").ToString());

        Assert.Contains("/public", _rig.Admin($"/config_dump?name_regex={ProxyRig.Server.Replace(".", "%5C.", StringComparison.Ordinal)}"), StringComparison.Ordinal);
        Assert.DoesNotContain("/public", _rig.Admin("/config_dump?name_regex=203.*"), StringComparison.Ordinal);
        Assert.Equal("400", _rig.AdminStatus("GET", "/config_dump?name_regex=%5B"));
    }

    [ControlPlaneFact]
    public void Statistics_CountRequests()
    {
        Serve();
        var before = Requests();

        for (var i = 0; i < 5; i++)
        {
            Assert.StartsWith("200 ", _rig.Node.Try("/public"), StringComparison.Ordinal);
        }

        Patience.Until(() => Requests() == before + 5, () => $"{Requests()} requests, {before} before:\n" + _rig.Admin("/stats?filter=http"));
        foreach (var line in _rig.Admin("/stats/prometheus").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.Matches("""^(# (TYPE|HELP) [a-zA-Z_:][a-zA-Z0-9_:]*( .*)?|[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*",?)*\})? [-+0-9.eEInfNa]+)$""", line);
        }
    }

    [ControlPlaneFact]
    public void LogLevel_ChangesByPost()
    {
        var (_, proxy) = Serve();

        Assert.Contains("debug", _rig.Admin("/logging?level=debug", "-X", "POST"), StringComparison.Ordinal);
        Assert.Contains("debug", _rig.Admin("/logging"), StringComparison.Ordinal);
        Assert.StartsWith("200 ", _rig.Node.Try("/public"), StringComparison.Ordinal);
        proxy.WaitForLog("dbug:");
    }

    [ControlPlaneTheory]
    [InlineData("/quitquitquit")]
    [InlineData("/drain_listeners")]
    [InlineData("/healthcheck/fail")]
    [InlineData("/healthcheck/ok")]
    [InlineData("/logging?level=debug")]
    public void PageThatChangesSomething_TakesNoGet(string path)
    {
        Serve();

        Assert.Equal("405", _rig.AdminStatus("GET", path));
        Assert.StartsWith("200 ", _rig.Node.Try("/public"), StringComparison.Ordinal);
        Assert.StartsWith("LIVE", _rig.Admin("/ready"), StringComparison.Ordinal);
    }

    [ControlPlaneFact]
    public void HealthCheckFailed_ReadySaysDrainingUntilItPasses()
    {
        Serve();

        Assert.Equal("200", _rig.AdminStatus("POST", "/healthcheck/fail"));
        Assert.StartsWith("DRAINING", _rig.Admin("/ready"), StringComparison.Ordinal);
        Assert.Equal("503", _rig.AdminStatus("GET", "/ready"));
        Assert.StartsWith("200 ", _rig.Node.Try("/public"), StringComparison.Ordinal);

        Assert.Equal("200", _rig.AdminStatus("POST", "/healthcheck/ok"));
        Assert.StartsWith("LIVE", _rig.Admin("/ready"), StringComparison.Ordinal);
    }

    [ControlPlaneFact]
    public void ListenersDrained_NothingIsAcceptedAndTheProcessLives()
    {
        var (server, proxy) = Serve();

        Assert.Equal("200", _rig.AdminStatus("POST", "/drain_listeners"));

        Assert.Equal("", _rig.Node.Net.Node.Run("ss", "-Hltn", "sport = :15001").OrThrow());
        server.PublishAndWaitForAck(ResourceType.NetworkPolicy, ControlPlaneRig.PolicyOf("/private.*"));
        Assert.False(proxy.HasExited);
    }

    [ControlPlaneFact]
    public void Quit_EndsTheProcessInOrder()
    {
        var (_, proxy) = Serve();

        Assert.Equal("200", _rig.AdminStatus("POST", "/quitquitquit"));

        Assert.Equal(0, proxy.WaitForExit());
        Assert.False(System.IO.File.Exists(_rig.AdminSocket));
        Assert.Equal("", _rig.Node.Steering());
    }

    [ControlPlaneFact]
    public void SecondProxyOnTheSameSocket_EndsWithOneLineAndLeavesTheFirstAlone()
    {
        Serve();

        var second = _rig.StartProxy("--observe-socket", "", "--keep-steering");

        Assert.Equal(1, second.WaitForExit());
        Assert.Contains("another process listens there", string.Join('\n', second.Log), StringComparison.Ordinal);
        Assert.StartsWith("LIVE", _rig.Admin("/ready"), StringComparison.Ordinal);
        Assert.StartsWith("200 ", _rig.Node.Try("/public"), StringComparison.Ordinal);
    }

    private (ForeignControlPlane Server, PosternProcess Proxy) Serve()
    {
        _rig.Node.AddOrigin();
        var server = _rig.StartServer();
        var proxy = _rig.StartProxy();
        _rig.PublishWorld(server);
        _rig.WaitLive();
        Patience.Until(() => _rig.Node.Try("/public").StartsWith("200 ", StringComparison.Ordinal), () => _rig.Admin("/xds"));
        return (server, proxy);
    }

    private long Requests()
    {
        var line = _rig.Admin("/stats/prometheus").Split('\n').Single(l => l.StartsWith("envoy_http_downstream_rq_total{", StringComparison.Ordinal));
        return long.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
