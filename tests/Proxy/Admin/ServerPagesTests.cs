using System.Linq;
using System.Net;
using System.Threading.Tasks;
using Postern.Proxy.Admin;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Admin;

public class ServerPagesTests
{
    [Fact]
    public async Task Ready_SaysLive()
    {
        await using var host = await AdminHost.StartAsync();
        Assert.Equal((200, "LIVE\n"), await host.AskAsync("GET", "/ready"));
    }

    [Theory]
    [InlineData((int)ServerState.Draining, "DRAINING")]
    [InlineData((int)ServerState.PreInitializing, "PRE_INITIALIZING")]
    [InlineData((int)ServerState.Initializing, "INITIALIZING")]
    public async Task ReadyOfAProxyThatIsNot_Is503AndNamesTheState(int state, string name)
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.State = (ServerState)state;
        host.Target.StateDetail = "policy from the state on disk, 40 s old";
        Assert.Equal((503, name + "\npolicy from the state on disk, 40 s old\n"), await host.AskAsync("GET", "/ready"));
    }

    [Fact]
    public async Task ServerInfo_HasEnvoysFields()
    {
        await using var host = await AdminHost.StartAsync();
        var info = await host.GetJsonAsync("/server_info");
        Assert.Matches("^postern/[0-9.]+/Clean/RELEASE/dotnet$", info.GetProperty("version").GetString());
        Assert.Equal("LIVE", info.GetProperty("state").GetString());
        Assert.Equal("75s", info.GetProperty("uptime_current_epoch").GetString());
        Assert.Equal("75s", info.GetProperty("uptime_all_epochs").GetString());
        Assert.Equal("disabled", info.GetProperty("hot_restart_version").GetString());
        Assert.Equal("host~10.0.0.1~no-id~localdomain", info.GetProperty("node").GetProperty("id").GetString());
        Assert.Equal("ingress-cluster", info.GetProperty("node").GetProperty("cluster").GetString());
        Assert.Equal("ingress-cluster", info.GetProperty("command_line_options").GetProperty("service_cluster").GetString());
    }

    [Fact]
    public async Task Memory_IsCountedInStrings()
    {
        await using var host = await AdminHost.StartAsync();
        var memory = await host.GetJsonAsync("/memory");
        Assert.True(long.Parse(memory.GetProperty("allocated").GetString()!) > 0);
        Assert.True(long.Parse(memory.GetProperty("total_physical_bytes").GetString()!) > 0);
    }

    [Fact]
    public async Task Listeners_AreNamedWithTheirAddresses()
    {
        await using var host = await AdminHost.StartAsync();
        host.Target.Listening = [("web", new IPEndPoint(IPAddress.Loopback, 80)), ("a\nforged::1.1.1.1:1", new IPEndPoint(IPAddress.IPv6Loopback, 81))];
        Assert.Equal("web::127.0.0.1:80\na\\u000aforged::1.1.1.1:1::[::1]:81\n", await host.GetAsync("/listeners"));
        var first = (await host.GetJsonAsync("/listeners?format=json")).GetProperty("listener_statuses")[0];
        Assert.Equal("web", first.GetProperty("name").GetString());
        Assert.Equal(80, first.GetProperty("local_address").GetProperty("socket_address").GetProperty("port_value").GetInt32());
    }

    [Fact]
    public async Task Clusters_AreListedWithTheirEndpoints()
    {
        await using var host = await AdminHost.StartAsync();
        var good = new LbEndpointConfig(new IPEndPoint(IPAddress.Parse("10.0.0.1"), 80), 0, 3, Usable: true);
        var bad = new LbEndpointConfig(new IPEndPoint(IPAddress.Parse("10.0.0.2"), 80), 1, 1, Usable: false);
        host.Target.Clusters = [new ClusterStatus(new ClusterConfig("echo", ClusterType.Static, System.TimeSpan.FromSeconds(1), []), [good, bad], FromDiscovery: true)];
        var lines = (await host.GetAsync("/clusters")).Split('\n');
        Assert.Contains("echo::observability_name::echo", lines);
        Assert.Contains("echo::added_via_api::true", lines);
        Assert.Contains("echo::10.0.0.1:80::health_flags::healthy", lines);
        Assert.Contains("echo::10.0.0.1:80::weight::3", lines);
        Assert.Contains("echo::10.0.0.2:80::health_flags::/failed_eds_health", lines);
        Assert.Equal("", await host.GetAsync("/clusters?filter=^other$"));
        var status = (await host.GetJsonAsync("/clusters?format=json")).GetProperty("cluster_statuses")[0];
        Assert.Equal(["HEALTHY", "UNHEALTHY"], status.GetProperty("host_statuses").EnumerateArray().Select(h => h.GetProperty("health_status").GetProperty("eds_health_status").GetString()));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/help")]
    public async Task Help_ListsEveryPath(string path)
    {
        await using var host = await AdminHost.StartAsync();
        var text = await host.GetAsync(path);
        string[] paths = ["/ready", "/server_info", "/config_dump", "/listeners", "/clusters", "/stats", "/stats/prometheus", "/logging", "/drain_listeners", "/healthcheck/fail", "/healthcheck/ok", "/quitquitquit", "/certs", "/xds", "/memory"];
        Assert.All(paths, p => Assert.Contains($"  {p} ", text));
    }

    [Fact]
    public async Task UnknownPath_Is404WithTheList()
    {
        await using var host = await AdminHost.StartAsync();
        var (status, text) = await host.AskAsync("GET", "/stats/recentlookups");
        Assert.Equal(404, status);
        Assert.Contains("/config_dump", text);
    }
}
