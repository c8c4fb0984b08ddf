using System;
using System.Buffers.Binary;
using System.IO;
using System.Linq;
using System.Net;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Steering;
using Postern.Tproxy;
using Postern.Tproxy.Bpf;

namespace Postern.Tests.Netns.Bpf;

/// <summary>What is too much, or was changed by somebody else, while a connection goes on.</summary>
public sealed class EbpfBadInputTests : IDisposable
{
    private const string Rule = "port=80,proxy-port=15001";
    private const string Other = "port=81,proxy-port=15001";
    private readonly NodeTopology _net = new();
    private readonly EbpfRig _rig;
    private readonly TestRelay _relay;
    private readonly ManyEcho _echo;

    public EbpfBadInputTests()
    {
        _rig = new EbpfRig(_net.Node);
        _relay = new TestRelay(_net.Node);
        _echo = new ManyEcho(_net.Server, IPAddress.Parse(NodeTopology.ServerV4), 80);
    }

    public void Dispose()
    {
        _rig.Dispose();
        _relay.Dispose();
        _echo.Dispose();
        _net.Dispose();
    }

    [NetnsTheory]
    [InlineData("rules")]
    [InlineData("entries")]
    public void MoreThanTheMapsTake_OldRulesStayInForceAndTheirTrafficGoesOn(string what)
    {
        _rig.Replace(Rule);
        using var talk = Open();
        var tooMany = what == "rules"
            ? Enumerable.Range(0, 65_537).Select(i => $"to=10.{i >> 16}.{i >> 8 & 255}.{i & 255}/32,port=81,proxy-port=15001")
            // Each range of ports counts for up to 29 blocks.
            : Enumerable.Range(0, 40_000).Select(i => $"to=10.{i >> 16}.{i >> 8 & 255}.{i & 255}/32,port=2-65533,proxy-port=15001");

        var error = Assert.Throws<TproxyException>(() => _rig.Replace([.. tooMany]));

        Assert.Contains("that eBPF steering takes", error.Message, StringComparison.Ordinal);
        Assert.Contains("--steering iptables", error.Message, StringComparison.Ordinal);
        talk.Further(5);
        Assert.Null(talk.Broken);
        using var next = Open();
        Assert.Equal(2, _relay.Seen.Count);
    }

    /// <summary>The map of devices is the one that is filled while rules are in force; the guards then drop what comes by a device that is not in it.</summary>
    [NetnsFact]
    public void MapOfDevicesFull_NewDeviceIsNamedAndAllElseGoesOn()
    {
        _rig.Replace(Rule);
        using var talk = Open();
        using (var devices = new BpfMap(Libbpf.OpenPin(Path.Combine(_rig.MapPins, "devices")), "devices", 4, 4))
        {
            var key = new byte[4];
            for (var i = 0; i < 65_536 - 2; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(key, 1_000_000 + i);
                devices.Update(key, key);
            }
        }

        _net.Node.Ip("link add d0 type bridge");
        _rig.WaitForDevices("c0 d0 s0");
        _rig.Replace(Rule, Other);
        _rig.Replace(Rule);

        Assert.Single(_rig.Log, line => line.Contains("device d0 cannot be listed", StringComparison.Ordinal) && line.Contains("it is full", StringComparison.Ordinal));
        talk.Further(5);
        Assert.Null(talk.Broken);
        using var next = Open();
        Assert.Equal(2, _relay.Seen.Count);
    }

    [NetnsFact]
    public void ForeignIpRuleOfTheSamePriority_IsNamedAndLeft()
    {
        _net.Node.Ip("rule add priority 9 from 10.99.0.0/16 lookup 77");
        var before = _net.Node.Ip("-4 rule");

        _rig.Replace(Rule);
        using var talk = Open();

        Assert.Single(_relay.Seen);
        Assert.True(_rig.Logged("another IPv4 ip rule has priority 9"));
        Assert.True(_rig.Logged("choose another RulePriority"));
        _rig.Remove();
        Assert.Equal(before, _net.Node.Ip("-4 rule"));
    }

    [NetnsTheory]
    [InlineData("-4 rule del priority 9")]
    [InlineData("-4 route flush table 2004")]
    [InlineData("link set c0 down")] // takes no program away, and its return is no new device
    public void HalfRemoved_ReplaceMakesItWhole(string damage)
    {
        _rig.Replace(Rule);
        _net.Node.Ip(damage);
        _net.Node.Ip("link set c0 up");

        _rig.Replace(Rule);

        using var talk = Open();
        Assert.Single(_relay.Seen);
    }

    private Talk Open() => new(_net.Client, IPAddress.Parse(NodeTopology.ServerV4), 80);
}
