using System;
using System.IO;
using System.Linq;
using System.Net;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Steering;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Bpf;

/// <summary>What a run that was killed left, and the next one.</summary>
public sealed class EbpfAdoptionTests : IDisposable
{
    private const string Rule = "port=80,proxy-port=15001";
    private const string Other = "port=81,proxy-port=15001";
    private readonly NodeTopology _net = new();
    private readonly PeerEcho _echo;
    private readonly PeerEcho _echo81;
    private readonly TestRelay _relay;
    private EbpfRig _rig;
    private int _asked;

    public EbpfAdoptionTests()
    {
        _rig = new EbpfRig(_net.Node);
        _echo = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
        _echo81 = new PeerEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 81);
        _relay = new TestRelay(_net.Node);
    }

    public void Dispose()
    {
        _rig.Dispose();
        _relay.Dispose();
        _echo.Dispose();
        _echo81.Dispose();
        _net.Dispose();
    }

    [NetnsTheory]
    [InlineData(AttachMode.Tcx)]
    [InlineData(AttachMode.Clsact)]
    public void OwnerKilled_RulesStayAndAreTakenOverByExchange(AttachMode mode)
    {
        Use(mode);
        _rig.Replace(Rule);
        var links = _rig.Links();

        _rig.Crash();
        AssertSteered(80);
        _rig.Claim();
        AssertSteered(80);
        Assert.Equal(links, _rig.Links());
        Assert.True(_rig.Logged("took over what an earlier run left on 2 devices"));

        _rig.Replace(Other);
        AssertPassed(80);
        AssertSteered(81);
        Assert.Equal(links, _rig.Links());
    }

    /// <summary>Also what drained when the first owner died. The control: without the file both stray, and the server resets what it does not know.</summary>
    [NetnsTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void FirstReplaceAfterAdoptionDropsARule_ItsConnectionsGoOnIfTheRulesWereWritten(bool written)
    {
        // With it the kernel often finds the socket by itself, as long as no route changes.
        _net.Node.Sysctl("net.ipv4.tcp_early_demux", "0");
        using var echo = new ManyEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 90);
        using var echo91 = new ManyEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 91);
        _rig.Replace("port=91,proxy-port=15001", Other);
        using var drains = new Talk(_net.Client, IPAddress.Parse(NodeTopology.ServerV4), 91);
        _rig.Replace("port=90,proxy-port=15001", Other);
        using var talk = new Talk(_net.Client, IPAddress.Parse(NodeTopology.ServerV4), 90);
        Assert.Equal(_asked += 2, _relay.Seen.Count);

        _rig.Crash();
        if (!written)
        {
            File.Delete(_net.Node.Inside(() => RulesFile.PathIn(_rig.Options.LockDirectory)));
        }

        _rig.Claim();
        _rig.Replace(Other);

        foreach (var one in new[] { talk, drains })
        {
            if (written)
            {
                one.Further(20);
                Assert.Null(one.Broken);
            }
            else
            {
                // The proxy may have acknowledged the last number and lost its answer: who has nothing to send again would never be reset.
                Wait.Until(() => one.SayMore() || one.Broken is not null, () => "it goes on");
            }
        }

        Assert.Equal(_asked, _relay.Seen.Count);
        AssertSteered(81);
    }

    [NetnsFact]
    public void OtherFlowEntriesThanTheAdoptedMaps_AreToldOnce()
    {
        _rig.Replace(Rule);
        _rig.Crash();
        _rig.Options = _rig.Options with { FlowEntries = 2048 };

        _rig.Replace(Rule);
        _rig.Replace(Other);

        Assert.Single(_rig.Log, line => line.Contains("takes 65536 connections and stays", StringComparison.Ordinal) && line.Contains("FlowEntries=2048", StringComparison.Ordinal));
    }

    [NetnsTheory]
    [InlineData("a map is missing")]
    [InlineData("all maps are missing")]
    [InlineData("another thing has a map's name")]
    [InlineData("maps of another layout")]
    public void MapsThatCannotBeAdopted_GoOnUntilThereAreRules(string what)
    {
        _rig.Replace(Rule);
        var links = _rig.Links();
        _rig.Crash();
        var state = Path.Combine(_rig.MapPins, "state");
        switch (what)
        {
            case "a map is missing":
                File.Delete(state);
                break;
            case "all maps are missing":
                Directory.Delete(_rig.MapPins, recursive: true);
                break;
            case "another thing has a map's name":
                File.Delete(state);
                File.Move(Path.Combine(_rig.MapPins, "filters"), state);
                break;
            default:
                Directory.Move(_rig.MapPins, _rig.MapPins.Replace("maps-2", "maps-0", StringComparison.Ordinal));
                break;
        }

        _rig.Claim();
        AssertSteered(80);
        Assert.True(_rig.Logged("is not whole"));

        _rig.Replace(Other);
        AssertPassed(80);
        AssertSteered(81);
        Assert.Equal(links, _rig.Links());
        Assert.Equal(SteeringMaps.Names.Order(StringComparer.Ordinal), _rig.Maps);
        Assert.Equal(["links", "maps-2"], Directory.GetDirectories(_rig.Pins).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [NetnsFact]
    public void LinksMissingAndGarbageAmongThem_AreMadeGood()
    {
        _rig.Replace(Rule);
        var before = _rig.Links();
        _rig.Crash();
        var links = Path.Combine(_rig.Pins, "links");
        var c0 = _rig.IndexOf("c0") + "-ingress";
        File.Delete(Path.Combine(links, c0));
        File.Move(Path.Combine(_rig.MapPins, "counters"), Path.Combine(links, "99999-ingress"));
        Directory.CreateDirectory(Path.Combine(links, "rubbish"));

        _rig.Replace(Rule);

        AssertSteered(80);
        Assert.Equal(before.Keys, _rig.Links().Keys);
        Assert.All(before, link => Assert.True(link.Key == c0 || _rig.Links()[link.Key] == link.Value));
        Assert.False(Directory.Exists(Path.Combine(links, "rubbish")));
    }

    [NetnsFact]
    public void MapsWithoutAnyProgram_AreNotPutInForce()
    {
        _rig.Replace(Rule);
        _rig.Crash();
        foreach (var path in Directory.GetFiles(Path.Combine(_rig.Pins, "links")))
        {
            SteeringPins.RemoveLink(path);
        }

        _rig.Claim();

        AssertPassed(80);
        Assert.Empty(_rig.Steering!.Attached);
        _rig.Replace(Rule);
        AssertSteered(80);
    }

    [NetnsFact]
    public void DeviceGoneWhileNobodyWatched_LosesItsPins()
    {
        _net.Node.Ip("link add d0 type bridge");
        _rig.Replace(Rule);
        Assert.Equal(6, _rig.Links().Count);
        _rig.Crash();
        _net.Node.Ip("link del d0");
        _net.Node.Ip("link add d1 type bridge");

        _rig.Claim();

        Assert.Equal("c0 d1 s0", _rig.Devices);
        Assert.Equal(6, _rig.Links().Count);
        Assert.Contains(_rig.IndexOf("d1") + "-egress", _rig.Links().Keys);
    }

    [NetnsTheory]
    [InlineData(AttachMode.Tcx, AttachMode.Clsact)]
    [InlineData(AttachMode.Clsact, AttachMode.Tcx)]
    public void OtherWayOfAttaching_TakesThePlaceOfTheFirst(AttachMode first, AttachMode second)
    {
        Use(first);
        _rig.Replace(Rule);
        _rig.Crash();

        _rig.Options = _rig.Options with { Attach = second };
        _rig.Replace(Rule);

        AssertSteered(80);
        Assert.Equal(second == AttachMode.Tcx ? 4 : 0, _rig.Links().Count);
        Assert.Equal(second == AttachMode.Clsact, _net.Node.Run("tc", "filter", "show", "dev", "c0", "ingress").Output.Contains("postern_ingress", StringComparison.Ordinal));
    }

    [NetnsFact]
    public void Leftovers_AreRemovedUnlessTheirOwnerLives()
    {
        _rig.Replace(Rule);
        Assert.False(_net.Node.Inside(() => EbpfSteering.RemoveLeftovers(_rig.Options, _rig.Log.Enqueue)));
        AssertSteered(80);
        _rig.Crash();

        Assert.True(_net.Node.Inside(() => EbpfSteering.RemoveLeftovers(_rig.Options, _rig.Log.Enqueue)));

        AssertPassed(80);
        Assert.False(Directory.Exists(_rig.Pins));
        Assert.DoesNotContain("2004", _net.Node.Ip("rule"), StringComparison.Ordinal);
        Assert.False(_net.Node.Inside(() => EbpfSteering.RemoveLeftovers(_rig.Options, _rig.Log.Enqueue)));
    }

    [NetnsFact]
    public void RestartByIptables_TakesTheProgramsAwayWhenItsRulesStand()
    {
        _rig.Replace(Rule);
        _rig.Crash();
        using var iptables = new IptablesSteering([], _rig.Options, _rig.Log.Enqueue);

        _net.Node.Inside(iptables.Claim);
        AssertSteered(80);
        _net.Node.Inside(() => iptables.Replace([SteeringRule.Parse(Rule)]));

        AssertSteered(80);
        Assert.False(Directory.Exists(_rig.Pins));
        _net.Node.Inside(iptables.Dispose);
        AssertPassed(80);
    }

    [NetnsFact]
    public void RestartByEbpf_TakesTheChainsAwayWhenItsRulesStand()
    {
        var iptables = new IptablesSteering([], _rig.Options, _rig.Log.Enqueue);
        _net.Node.Inside(() => iptables.Replace([SteeringRule.Parse(Rule)]));
        // As after its death: another folder of locks, in which nobody holds one.
        _rig.Options = _rig.Options with { LockDirectory = _rig.Options.LockDirectory + "2" };

        _rig.Claim();
        AssertSteered(80);
        _rig.Replace(Rule);

        AssertSteered(80);
        Assert.DoesNotContain("POSTERN", _net.Node.Run("iptables-save").Output, StringComparison.Ordinal);
        Assert.Contains("2004", _net.Node.Ip("rule"), StringComparison.Ordinal);
    }

    private void AssertSteered(int port)
    {
        Assert.Equal($"{NodeTopology.ClientV4} ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, port));
        Assert.Equal(++_asked, _relay.Seen.Count);
    }

    private void AssertPassed(int port)
    {
        Assert.Equal($"{NodeTopology.ClientV4} ping", PeerEcho.Ask(_net.Client, NodeTopology.ServerV4, port));
        Assert.Equal(_asked, _relay.Seen.Count);
    }

    private void Use(AttachMode mode)
    {
        _rig.Dispose();
        _rig = new EbpfRig(_net.Node, mode);
    }
}
