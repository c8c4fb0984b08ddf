using System;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Tproxy.Steering;

public sealed class KnownRulesTextTests
{
    private const string A = "to=10.0.0.1/32,port=80,in=lxc+,proxy-port=15001";
    private const string B = "port=1-65535,from=fd00::/8,proto=udp,proxy-port=15002";

    [Theory]
    [InlineData(SteeringMode.Ebpf, "ebpf")]
    [InlineData(SteeringMode.Iptables, "iptables")]
    public void WhatIsWritten_IsReadBack(SteeringMode mode, string word)
    {
        var text = KnownRulesText.Format(new KnownRules(mode, [SteeringRule.Parse(A), SteeringRule.Parse(B)], [SteeringRule.Parse(B)]));

        Assert.Equal($"postern-rules 1 {word} 2 1\n{A}\n{B}\n{B}\n", text);
        var read = KnownRulesText.Parse(text);
        Assert.Equal(mode, read.Mode);
        Assert.Equal([SteeringRule.Parse(A), SteeringRule.Parse(B)], read.InForce);
        Assert.Equal([SteeringRule.Parse(B)], read.Draining);
    }

    [Theory]
    [InlineData("")]
    [InlineData("postern-rules 1 ebpf 0 0")]
    [InlineData("postern-rules 2 ebpf 0 0\n")]
    [InlineData("postern-rules 1 auto 0 0\n")]
    [InlineData("postern-rules 1 ebpf 0 -0\n")]
    [InlineData("postern-rules 1 ebpf 65537 0\n")]
    [InlineData("postern-rules 1 ebpf 0 0 0\n")]
    [InlineData("postern-rules 1 ebpf  0 0\n")]
    [InlineData("postern-rules 1 ebpf 0 0\r\n")]
    [InlineData("postern-rules 1 ebpf 1 0\n")]
    [InlineData("postern-rules 1 ebpf 1 0\n\n")]
    [InlineData("postern-rules 1 ebpf 1 0\n" + A)]
    [InlineData("postern-rules 1 ebpf 1 0\n" + A + "\n\n")]
    [InlineData("postern-rules 1 ebpf 1 0\n" + A + "\n" + B + "\n")]
    [InlineData("postern-rules 1 ebpf 1 0\nport=0,proxy-port=1\n")]
    [InlineData("postern-rules 1 ebpf 0 1\n " + A + "\n")]
    public void AnythingOdd_IsRefused(string text) => Assert.Throws<FormatException>(() => KnownRulesText.Parse(text));
}
