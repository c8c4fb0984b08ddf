using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using Postern.Tproxy;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Tproxy.Bpf;

/// <summary>Single rules of what compiling means, decided by <see cref="ProgramMirror"/> where a packet decides.</summary>
public sealed class SteeringCompilerTests
{
    private const string A = "10.1.0.1";
    private const string B = "10.1.0.2";

    /// <summary>As SteeringPlan lays them: blocked endpoints, pairs, egress, ingress.</summary>
    private static readonly string[] Plan =
    [
        "from=10.1.0.9/32,port=1-65535,proxy-port=1",
        "to=10.1.0.9/32,port=1-65535,proxy-port=1",
        "to=10.1.0.2/32,from=10.1.0.1/32,port=80,proxy-port=100",
        "from=10.1.0.1/32,port=80-90,proxy-port=200",
        "to=10.1.0.2/32,port=1-65535,proxy-port=300",
        "to=10.1.0.1/32,port=443,proxy-port=400",
    ];

    [Theory]
    [InlineData(A, "10.1.0.9", 80, 1)] // to a blocked endpoint, not by the sender's rule
    [InlineData("10.1.0.9", B, 80, 1)]
    [InlineData(A, B, 80, 100)] // the pair before egress
    [InlineData(A, B, 81, 200)] // egress before ingress
    [InlineData(A, B, 91, 300)]
    [InlineData("192.0.2.1", B, 65535, 300)]
    [InlineData("192.0.2.1", A, 443, 400)]
    [InlineData("192.0.2.1", A, 80, null)]
    [InlineData("192.0.2.1", "192.0.2.2", 80, null)]
    public void RulesOfThePlan_TheFirstDecides(string source, string destination, int port, int? proxyPort) =>
        Assert.Equal(proxyPort, Decide(Compile(Plan), source, destination, port));

    [Theory]
    [InlineData("1-65535", 1)] // and not 16: port 0 goes along
    [InlineData("1", 1)]
    [InlineData("1-1023", 1)]
    [InlineData("80", 1)]
    [InlineData("65535", 1)]
    [InlineData("80-90", 3)] // 80-87, 88-89, 90
    [InlineData("2-65534", 29)] // the most there are
    [InlineData("32768-65535", 1)]
    [InlineData("32767-32768", 2)]
    public void PortRange_IsCutIntoTheFewestBlocks(string ports, int entries) =>
        Assert.Equal(entries, RuleEntries(Compile($"port={ports},proxy-port=1")).Count);

    [Theory]
    [InlineData(79, null)]
    [InlineData(80, 1)]
    [InlineData(90, 1)]
    [InlineData(91, null)]
    [InlineData(65534, null)]
    [InlineData(65535, 2)]
    [InlineData(0, null)]
    public void EdgesOfARange_AreWithin(int port, int? proxyPort) =>
        Assert.Equal(proxyPort, Decide(Compile("port=80-90,proxy-port=1", "port=65535,proxy-port=2"), A, B, port));

    [Fact]
    public void RangeThatAnEarlierOneSplits_TakesWhatIsLeft()
    {
        var set = Compile("port=84-87,proxy-port=1", "port=80-95,proxy-port=2", "port=82,proxy-port=3");

        Assert.Equal(3, RuleEntries(set).Count); // 80-83, 84-87, 88-95; nothing is left of the third rule
        Assert.Equal([2, 1, 2, 2], new[] { 83, 84, 88, 82 }.Select(port => Decide(set, A, B, port)));
    }

    [Fact]
    public void MappedPrefix_IsTheFourByteOne()
    {
        SteeringRule[] rules = [new(IPNetwork.Parse("::ffff:10.1.0.2/128"), IPNetwork.Parse("::ffff:10.0.0.0/104"), 80, 80, null, 1)];
        var set = SteeringCompiler.Compile(rules, [], _ => []);

        Assert.Equal(1, Decide(set, A, B, 80));
        Assert.Null(Decide(set, "11.0.0.1", B, 80));
        var trie = Assert.Single(set.Prefixes4).Key;
        Assert.Equal([8, 0, 0, 0, 10, 0, 0, 0], trie);
        Assert.Empty(set.Prefixes6);
    }

    [Fact]
    public void PrefixOfNoLength_IsAllOfItsFamilyOnly()
    {
        var four = Compile("to=0.0.0.0/0,port=80,proxy-port=1");
        var six = Compile("to=::/0,port=80,proxy-port=1");

        Assert.Equal(1, Decide(four, A, B, 80));
        Assert.Null(Decide(four, "fd00::1", "fd00::2", 80));
        Assert.Equal(1, Decide(six, "fd00::1", "fd00::2", 80));
        Assert.Null(Decide(six, A, B, 80));
        Assert.Equal(SteeringLayout.FilterPrefixes4, BitConverter.ToUInt32(four.Filter));
        Assert.Equal(SteeringLayout.FilterPrefixes6, BitConverter.ToUInt32(six.Filter));
    }

    [Fact]
    public void SamePrefixAtBothEnds_IsOneClassInBothRoles()
    {
        var set = Compile("to=10.1.0.0/16,from=10.1.0.0/16,port=80,proxy-port=1");

        var value = Assert.Single(set.Prefixes4).Value;
        Assert.Equal(SteeringLayout.RolePairSource | SteeringLayout.RolePairDestination, BitConverter.ToUInt32(value, 4));
        Assert.Equal(1u << 16, BitConverter.ToUInt32(value, 8));
        Assert.Equal(0u, BitConverter.ToUInt32(value, 12));
        Assert.Equal(1, Decide(set, A, B, 80));
        Assert.Null(Decide(set, A, "10.2.0.1", 80));
    }

    [Fact]
    public void HostWithinANet_HasTheNetsRulesToo()
    {
        var set = Compile("to=10.1.0.2/32,port=80,proxy-port=1", "to=10.1.0.0/16,port=1-65535,proxy-port=2", "to=10.0.0.0/8,port=1-65535,proxy-port=3");

        Assert.Equal([1, 2], new[] { 80, 81 }.Select(port => Decide(set, A, B, port)));
        Assert.Equal(2, Decide(set, A, "10.1.9.9", 80));
        Assert.Equal(3, Decide(set, A, "10.9.9.9", 80));
    }

    [Fact]
    public void DeviceOfARule_HasAKeyForEachIndexItMeans()
    {
        SteeringRule[] rules = [SteeringRule.Parse("in=c+,port=80,proxy-port=1"), SteeringRule.Parse("from=10.1.0.1/32,in=c+,port=81,proxy-port=2")];
        var here = SteeringCompiler.Compile(rules, [], name => name == "c+" ? [7, 9] : []);
        var gone = SteeringCompiler.Compile(rules, [], _ => []);

        Assert.Equal([1, 1, null], new uint[] { 7, 9, 8 }.Select(device => Decide(here, A, B, 80, device)));
        Assert.Equal([2, null], new uint[] { 7, 8 }.Select(device => Decide(here, A, B, 81, device)));
        Assert.Equal(SteeringLayout.FilterEverybody | SteeringLayout.FilterEverybodyDevice, BitConverter.ToUInt32(here.Filter));
        // The addresses stay concerned by a rule that names a device, which is what the guard asks; no device meets it.
        Assert.Equal(BitConverter.ToUInt32(here.Filter), BitConverter.ToUInt32(gone.Filter));
        Assert.Equal([null, null, null, null], new[] { 80, 81 }.SelectMany(port => new uint[] { 7, 9 }.Select(device => Decide(gone, A, B, port, device))));
    }

    [Fact]
    public void DrainingRule_StandsBehindAllThatAreInForce()
    {
        SteeringRule[] inForce = [SteeringRule.Parse("to=10.1.0.2/32,port=80,proxy-port=1")];
        SteeringRule[] draining = [inForce[0], inForce[0] with { ProxyPort = 5 }, SteeringRule.Parse("port=80-81,proxy-port=2")];
        var set = SteeringCompiler.Compile(inForce, draining, _ => []);
        var mirror = new ProgramMirror(set);

        Assert.Equal(0, mirror.Decide(Packet(A, B, 80))!.Value.Flags);
        Assert.Equal(1, mirror.Decide(Packet(A, B, 80))!.Value.ProxyPort);
        Assert.Equal(SteeringLayout.RuleDraining, mirror.Decide(Packet(A, B, 81))!.Value.Flags);
        Assert.Equal(2, RuleEntries(set).Count); // none for those that never win
    }

    [Fact]
    public void Protocols_AreApart()
    {
        var tcp = SteeringRule.Parse("to=10.1.0.2/32,port=53,proxy-port=1");
        var set = SteeringCompiler.Compile([tcp, tcp with { Protocol = SteeringProtocol.Udp, DestinationPort = 52, ProxyPort = 2 }], [], _ => []);

        Assert.Equal(1, Decide(set, A, B, 53));
        Assert.Equal(2, new ProgramMirror(set).Decide(Packet(A, B, 53) with { Protocol = SteeringProtocol.Udp })!.Value.ProxyPort);
        Assert.Null(Decide(set, A, B, 52));
    }

    [Fact]
    public void FilterBits_AreThoseOfTheHostsAndNoOthers()
    {
        string[] hosts = ["10.1.0.1", "10.1.0.2", "fd00::1", "2001:db8:1:2:3:4:5:6", "255.255.255.255"];
        var set = Compile([.. hosts.Select(host => $"to={host},port=80,proxy-port=1"), "to=10.0.0.0/8,port=80,proxy-port=1"]);
        var bits = set.Filter.AsSpan(16).ToArray().SelectMany((one, at) => Enumerable.Range(0, 8).Where(bit => (one >> bit & 1) != 0).Select(bit => (at * 8) + bit));

        Assert.Equal(hosts.Select(host => ProgramMirror.FilterBit(IPAddress.Parse(host))).Order(), bits);
        // By a calculator, so that compiler, mirror and program do not err alike: (0x0a010001 * 0x9e3779b1 mod 2^32) >> 16, and of 0xfd000000 ^ 1.
        Assert.Equal(488, ProgramMirror.FilterBit(IPAddress.Parse("10.1.0.1")));
        Assert.Equal(35639, ProgramMirror.FilterBit(IPAddress.Parse("fd00::1")));
    }

    [Fact]
    public void FiveThousandHosts_AreTwoEntriesEach()
    {
        var set = Compile([.. Hosts(5_000).Select(host => $"to={host},port=80,proxy-port=1")]);

        Assert.Equal(5_000, RuleEntries(set).Count);
        Assert.Equal(5_000, set.Rules.Count(entry => entry.Key[0] == SteeringLayout.KeyAddress));
    }

    [Fact]
    public void MoreRulesThanTheLimit_AreRefusedWithAWayOut()
    {
        var rule = SteeringRule.Parse("port=80,proxy-port=1");
        var most = Enumerable.Repeat(rule, SteeringCompiler.MostRules).ToArray();

        Assert.Single(SteeringCompiler.Compile(most, most, _ => []).Rules);
        var error = Assert.Throws<TproxyException>(() => SteeringCompiler.Compile([.. most, rule], [], _ => []));
        Assert.Contains("65,537 steering rules are more than the 65,536", error.Message, StringComparison.Ordinal);
        Assert.Contains("--steering iptables", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("from=10.0.0.0/8,to=10.0.0.0/8,port=80,proxy-port=1")] // 1,101 times 1,101 classes: before they are made
    [InlineData("from=10.0.0.0/8,port=2-65534,proxy-port=1")] // 29 blocks for each of 1,101: within
    public void EntriesAfterExpansion_AreBounded(string wide)
    {
        string[] rules = [.. Hosts(1_100).Select(host => $"to={host},port=80,proxy-port=1"), wide];
        if (wide.Contains("to=", StringComparison.Ordinal))
        {
            var error = Assert.Throws<TproxyException>(() => Compile(rules));
            Assert.Contains("more than the 1,048,576 entries", error.Message, StringComparison.Ordinal);
            Assert.Contains("wider prefixes", error.Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(1_100 + (29 * 1_101), RuleEntries(Compile(rules)).Count);
        }
    }

    private static IEnumerable<string> Hosts(int count) => Enumerable.Range(0, count).Select(i => $"10.0.{i >> 8}.{i & 255}");

    private static CompiledSteering Compile(params string[] rules) => SteeringCompiler.Compile([.. rules.Select(SteeringRule.Parse)], [], _ => []);

    private static List<byte[]> RuleEntries(CompiledSteering set) => [.. set.Rules.Select(entry => entry.Key).Where(key => key[0] == SteeringLayout.KeyRule)];

    private static Packet Packet(string source, string destination, int port, uint device = 1) =>
        new(device, IPAddress.Parse(source), IPAddress.Parse(destination), SteeringProtocol.Tcp, (ushort)port);

    private static int? Decide(CompiledSteering set, string source, string destination, int port, uint device = 1) =>
        new ProgramMirror(set).Decide(Packet(source, destination, port, device))?.ProxyPort;
}
