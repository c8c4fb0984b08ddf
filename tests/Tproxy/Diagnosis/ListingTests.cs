using System;
using System.Linq;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Tproxy.Diagnosis;

/// <summary>What ip, iptables and /proc print, literally.</summary>
public sealed class ListingTests
{
    [Fact]
    public void Rules_AreReadWithMarkAndWhatNarrowsThem()
    {
        var rules = IpJson.Rules("""
            [{"priority":0,"src":"all","table":"255"},{"priority":5,"src":"10.0.0.0","srclen":8,"table":"100"},
             {"priority":9,"src":"all","fwmark":"0x200","fwmask":"0xf00","table":"2004","protocol":"80"},{"priority":10,"src":"all","fwmark":"0x1","iif":"c0","table":"7"}]
            """);
        (long, uint?, bool, string)[] expected = [(0, null, false, "255"), (5, null, true, "100"), (9, 0x200, false, "2004"), (10, 1, true, "7")];
        Assert.Equal(expected, rules.Select(rule => (rule.Priority, rule.Mark, rule.IsNarrow, rule.Table)));
        Assert.Equal(0xf00u, rules[2].Mask);
        Assert.Equal(uint.MaxValue, rules[3].Mask);
    }

    [Fact]
    public void Links_AreReadWithKindAndMaster()
    {
        var links = IpJson.Links("""
            [{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536},{},
             {"ifindex":7,"ifname":"c0","flags":["BROADCAST"],"mtu":1500,"master":"br0","linkinfo":{"info_kind":"veth"}}]
            """);
        Assert.Equal([new LinkFacts(1, "lo", "", null, true, 65536, true), new LinkFacts(7, "c0", "veth", "br0", false, 1500)], links);
    }

    [Theory]
    [InlineData("""[{"type":"2","dst":"1.2.3.4","from":"10.9.0.5","dev":"lo","table":"2004","flags":[],"mark":512,"cache":["local"],"iif":"c0"}]""", "lo", true, "2004")]
    [InlineData("""[{"dst":"10.9.0.5","dev":"c0","prefsrc":"10.9.0.1","flags":[],"uid":0,"cache":[]}]""", "c0", false, "254")]
    public void Answer_TellsDeviceAndTable(string json, string device, bool isLocal, string table)
    {
        var answer = IpJson.Answer(json);
        Assert.Equal((device, isLocal, table), (answer.Device, answer.IsLocal, answer.Table));
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[{\"ifname\":\"c0\"}]")]
    public void StrangeText_IsOneKindOfError(string json) => Assert.Throws<FormatException>(() => IpJson.Links(json));

    [Fact]
    public void SteeringRules_AreReadBackFromTheListing()
    {
        var listing = "-N POSTERN_PRE_mangle\n-A PREROUTING -j X\n-A PREROUTING -m comment --comment \"postern-feeder: POSTERN_PRE_mangle\" -j POSTERN_PRE_mangle\n"
            + "-A POSTERN_PRE_mangle -s 10.0.0.2/32 -d 10.1.0.0/16 -i c0 -p tcp -m tcp --dport 80:90 -m comment --comment \"postern: TPROXY to port 15001\" -j TPROXY --on-port 15001 --on-ip 127.0.0.1 --tproxy-mark 0x200/0xf00\n"
            + "-A POSTERN_PRE_mangle -p udp -m udp --dport 53 -j TPROXY --on-port 15002 --on-ip 127.0.0.1 --tproxy-mark 0x200/0xf00\n";
        Assert.Equal(
            [SteeringRule.Parse("to=10.1.0.0/16,port=80-90,from=10.0.0.2/32,in=c0,proxy-port=15001"), new SteeringRule(null, null, 53, 53, null, 15002, SteeringProtocol.Udp)],
            IptablesRules.Steering(listing));
        Assert.Equal(["-A PREROUTING -j X"], IptablesRules.BeforeFeeder(listing));
        Assert.False(IptablesRules.CatchesAnswers(listing));
    }

    [Fact]
    public void MountedBpf_IsFoundAtOrAboveTheRoot()
    {
        const string Mounts = "30 1 0:5 / /sys/fs/cgroup rw - cgroup2 none rw\n31 1 0:6 / /sys/fs/bpf rw,nosuid shared:3 - bpf bpf rw\n";
        Assert.Equal("/sys/fs/bpf", KernelDiagnosis.BpfMount(Mounts, "/sys/fs/bpf"));
        Assert.Equal("/sys/fs/bpf", KernelDiagnosis.BpfMount(Mounts, "/sys/fs/bpf/own"));
        Assert.Null(KernelDiagnosis.BpfMount(Mounts, "/sys/fs/bpfother"));
    }

    [Fact]
    public void Capabilities_AreTheEffectiveOnes() => Assert.Equal(0x3000ul, KernelDiagnosis.Capabilities("Name:\tx\nCapPrm:\t0000000000000001\nCapEff:\t0000000000003000\nCapBnd:\t0\n"));
}
