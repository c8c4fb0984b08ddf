using System;
using System.Collections.Generic;
using System.Linq;
using Postern.Netns.Fixture;

namespace Postern.Tests.Netns.Proxy;

/// <summary>Listeners and clusters that come, change and go by file.</summary>
public sealed class ListenerDiscoveryTests : IDisposable
{
    private const string Node = NodeTopology.NodeV4;
    private readonly ProxyRig _rig = new();
    private readonly Origin _origin;
    private PosternProcess _proxy = null!;
    private int _version;

    public ListenerDiscoveryTests() => _origin = _rig.AddOrigin(8081, "one ");

    public void Dispose() => _rig.Dispose();

    [NetnsFact]
    public void OthersChange_OpenConnectionLivesOn()
    {
        Start(Forward("a", 18001), Forward("b", 18002));
        using var a = _rig.Connect($"{Node}:18001");
        AssertServes(a);

        Put(Forward("a", 18001), Forward("b", 18012));
        _proxy.WaitForLog("listener b listens on", 2);
        AssertServes(a);
        AssertServes(18012);
        AssertGone(18002);

        Put(Forward("a", 18001), Forward("c", 18003));
        _proxy.WaitForLog("listener c listens on");
        AssertGone(18012);
        AssertServes(a);
        AssertServes(18003);
        Assert.Equal(1, _proxy.CountLog("listener a "));
    }

    [NetnsFact]
    public void EqualContentInOtherFormatting_ChangesNothing()
    {
        Start(Forward("a", 18001), Forward("b", 18002));
        using var a = _rig.Connect($"{Node}:18001");
        AssertServes(a);

        _rig.Put("lds.json", ConfigText.Discovery("Listener", "other", Forward("b", 18002), Forward("a", 18001)).Replace(",\"", " ,\n\n  \"", StringComparison.Ordinal));
        // A later change, once seen, proves that the earlier one was looked at.
        Put(Forward("a", 18001), Forward("b", 18002), Forward("c", 18003));
        _proxy.WaitForLog("listener c listens on");

        AssertServes(a);
        Assert.Equal((1, 1), (_proxy.CountLog("listener a "), _proxy.CountLog("listener b ")));
    }

    [NetnsFact]
    public void ListenerRemoved_RequestInFlightCompletesAndIdleConnectionCloses()
    {
        Start(Forward("a", 18001), Forward("b", 18002));
        using var busy = _rig.Connect($"{Node}:18001");
        using var idle = _rig.Connect($"{Node}:18001");
        AssertServes(idle);
        busy.SendRequest("/wait");
        Patience.Until(() => _origin.Requests.Any(r => r.EndsWith("/wait", StringComparison.Ordinal)), () => "the request does not reach the origin");

        Put(Forward("b", 18002));
        _proxy.WaitForLog("listener a was removed");
        Assert.Equal("closed", idle.ReadEnd());
        AssertGone(18001);
        _origin.Release();

        Assert.StartsWith("200 one ", busy.ReadAnswer(), StringComparison.Ordinal);
        Assert.Equal("closed", busy.ReadEnd());
        AssertServes(18002);
    }

    [NetnsFact]
    public void ConnectionWithoutRequestWhenListenerGoes_IsClosedToo()
    {
        Start(Forward("a", 18001), Forward("b", 18002));
        using var silent = _rig.Connect($"{Node}:18001");
        AssertServes(18001); // accepted in order: the silent one was taken before

        Put(Forward("b", 18002));

        Assert.Equal("closed", silent.ReadEnd());
    }

    [NetnsFact]
    public void NameReplacedOnTheSamePort_NewListenerTakesThePort()
    {
        Start(Forward("a", 18001), Forward("b", 18002));

        Put(Forward("c", 18001), Forward("b", 18002));

        _proxy.WaitForLog("listener c listens on");
        AssertServes(18001);
        Assert.Equal(0, _proxy.CountLog("warn:"));
    }

    [NetnsFact]
    public void PortsHandedOn_EveryListenerGetsItsNewPort()
    {
        Start(Forward("a", 18001), Forward("b", 18002));

        // a wants what b leaves, which is only free when b has moved.
        Put(Forward("a", 18002), Forward("b", 18003));

        _proxy.WaitForLog("listener b listens on", 2);
        _proxy.WaitForLog("listener a listens on", 2);
        AssertServes(18002);
        AssertServes(18003);
        AssertGone(18001);
    }

    [NetnsFact]
    public void PortInUse_IsReportedAndTheOthersLive()
    {
        using var holder = new Origin(_rig.Net.Node, 18009);
        Start(Forward("a", 18001));
        using var a = _rig.Connect($"{Node}:18001");
        AssertServes(a);

        Put(Forward("a", 18001), Forward("taken", 18009), Forward("b", 18002));

        Assert.Contains("18009", _proxy.WaitForLog("warn:"), StringComparison.Ordinal);
        _proxy.WaitForLog("listener b listens on");
        AssertServes(a);
        AssertServes(18002);
    }

    [NetnsFact]
    public void ChangedAddressThatIsInUse_OldOneStays()
    {
        using var holder = new Origin(_rig.Net.Node, 18009);
        Start(Forward("a", 18001));

        Put(Forward("a", 18009));

        Assert.Contains("18009", _proxy.WaitForLog("warn:"), StringComparison.Ordinal);
        AssertServes(18001);
    }

    [NetnsFact]
    public void BrokenListenerFile_LastGoodStays()
    {
        Start(Forward("a", 18001));

        _rig.Put("lds.json", ConfigText.Discovery("Listener", "x", Forward("a", 18001).Replace("\"address\"", "\"adress\"", StringComparison.Ordinal)));

        Assert.Contains("lds.json:2:", _proxy.WaitForLog("adress"), StringComparison.Ordinal);
        AssertServes(18001);
    }

    [NetnsFact]
    public void ClusterChanges_NextRequestOnTheOpenConnectionGoesToTheNewEndpoint()
    {
        using var second = _rig.AddOrigin(8082, "two ");
        Start(Forward("a", 18001));
        using var a = _rig.Connect($"{Node}:18001");
        AssertServes(a);

        _rig.Put("cds.json", ConfigText.Discovery("Cluster", "2", ConfigText.Static("backend", ProxyRig.Server, 8082)));

        var answer = "";
        Patience.Until(() => (answer = a.Ask("/")).StartsWith("200 two ", StringComparison.Ordinal), () => "still " + answer);
        Assert.Equal(1, _proxy.CountLog("listener a "));
    }

    [NetnsFact]
    public void HttpSettingsChange_NewConnectionsHaveThemAndOldOnesDrain()
    {
        Start(Forward("a", 18001));
        using var old = _rig.Connect($"{Node}:18001");
        AssertServes(old);

        Put(Forward("a", 18001).Replace("\"stream_idle_timeout\":\"300s\"", "\"stream_idle_timeout\":\"200s\"", StringComparison.Ordinal));

        _proxy.WaitForLog("listener a changed");
        Assert.Equal("closed", old.ReadEnd());
        AssertServes(18001);
    }

    private static string Forward(string name, int port) => ConfigText.Plain(name, Node, port, "backend");

    private void Start(params string[] listeners)
    {
        Put(listeners);
        _rig.Put("cds.json", ConfigText.Discovery("Cluster", "1", ConfigText.Static("backend", ProxyRig.Server, 8081)));
        _rig.Put("bootstrap.json", ConfigText.Bootstrap([], [], _rig.File("lds.json"), _rig.File("cds.json")));
        _proxy = _rig.Run().WaitReady();
    }

    private void Put(params string[] listeners) => _rig.Put("lds.json", ConfigText.Discovery("Listener", $"{++_version}", listeners));

    private void AssertServes(int port)
    {
        using var client = _rig.Connect($"{Node}:{port}");
        AssertServes(client);
    }

    private static void AssertServes(HttpClientSocket client) => Assert.StartsWith("200 ", client.Ask("/"), StringComparison.Ordinal);

    private void AssertGone(int port) => Assert.Equal("exit 7", _rig.Curl($"http://{Node}:{port}/"));
}
