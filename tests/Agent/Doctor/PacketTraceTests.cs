using System;
using System.Linq;
using System.Net;
using Postern.Agent.Api;
using Postern.Agent.Cli;
using Postern.Agent.Doctor;
using Postern.Agent.Doctor.Path;
using Postern.Agent.Supervise;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Agent.Doctor;

/// <summary>A packet's way by literal facts: each fault is told at its step.</summary>
public sealed class PacketTraceTests
{
    private static readonly NodeFacts Well = HealthyNode.Facts;
    private static readonly PathFacts Packet = HealthyNode.Packet;
    private static readonly RouteAnswer Refused = new("", "", "", "RTNETLINK answers: Invalid cross-device link");

    [Fact]
    public void HealthyNode_NothingAstray()
    {
        foreach (var node in new[] { Well, HealthyNode.Ebpf })
        {
            var steps = PacketTrace.Run(node, Packet);
            Assert.Equal(Enumerable.Range(1, 10), steps.Select(step => step.Number));
            Assert.All(steps, step => Assert.Equal(StepState.Ok, step.State));
        }
    }

    [Fact]
    public void UnknownEndpoint_AstrayAt1() => AstrayAt(1, Well, Packet with { Endpoint = null });

    [Fact]
    public void DeviceGone_AstrayAt2() => AstrayAt(2, Well, Packet with { Endpoint = HealthyNode.Endpoint with { Interface = "gone0" } });

    [Fact]
    public void DeviceDown_AstrayAt2() => AstrayAt(2, Well.WithLink("c0", link => link with { IsUp = false }), Packet);

    [Fact]
    public void ChainNotFed_AstrayAt3() => AstrayAt(3, Provocations.All["steering.not-fed"], Packet);

    [Fact]
    public void ForeignAcceptFirst_AstrayAt3() => AstrayAt(3, Provocations.All["steering.not-first"], Packet);

    [Fact]
    public void NoProgramOnDevice_AstrayAt3() => AstrayAt(3, Provocations.All["program.no-ingress"], Packet);

    [Fact]
    public void PolicyWithoutRule_AstrayAt4() => AstrayAt(4, Well with { Agent = Well.Agent with { Rules = [] } }, Packet);

    [Fact]
    public void RuleGone_AstrayAt5() => AstrayAt(5, Provocations.All["routing.no-rule"], Packet with { Marked = new RouteAnswer("s0", "1", "254", null) });

    [Fact]
    public void TableEmpty_AstrayAt5() => AstrayAt(5, Provocations.All["routing.no-route"], Packet);

    [Fact]
    public void OtherTableTakesThePacket_AstrayAt5() => AstrayAt(5, Well, Packet with { Marked = new RouteAnswer("s0", "1", "100", null) });

    [Fact]
    public void StrictFilterOnAsymmetricPath_AstrayAt6() => AstrayAt(6, Well.WithSysctl(("ipv4/conf/c0/rp_filter", "1")), Packet with { ToSource = new RouteAnswer("s0", "1", "254", null), Marked = Refused });

    [Fact]
    public void MarkedMartians_AstrayAt6() => AstrayAt(6, Provocations.All["sysctl.src-valid-mark"], Packet with { Marked = Refused });

    [Fact]
    public void NobodyListens_AstrayAt7() => AstrayAt(7, Provocations.All["listener.missing"], Packet);

    [Fact]
    public void ListenerNotTransparent_AstrayAt7() => AstrayAt(7, Provocations.All["listener.not-transparent"], Packet);

    [Fact]
    public void ProxyDown_AstrayAt8() => AstrayAt(8, Well.WithStatus(status => status with { Proxy = new ProxyStatus { State = ProxyState.Down } }), Packet);

    [Fact]
    public void PolicyDenies_AstrayAt8() => AstrayAt(8, Well, Packet with { Policy = Packet.Policy! with { Verdict = "denied" } });

    [Fact]
    public void NoRouteOn_AstrayAt9() => AstrayAt(9, Well, Packet with { Onward = Refused, Back = null });

    [Fact]
    public void AnswersNotCaught_AstrayAt10() => AstrayAt(10, Well.WithV4(family => family with { Mangle = family.Mangle!.Replace("-m socket", "-m none", StringComparison.Ordinal) }), Packet);

    [Fact]
    public void AnswersComeByDeviceWithoutProgram_AstrayAt10() => AstrayAt(10, HealthyNode.Ebpf.WithDevice(new AttachedPrograms(3, [], ["postern_guard"], false)), Packet);

    [Fact]
    public void UnsteeredPacket_IsNotFollowedIntoTheProxy()
    {
        var steps = PacketTrace.Run(Well, Packet with { To = IPEndPoint.Parse("192.0.2.1:443"), Policy = null });
        Assert.Equal([5, 6, 7, 8, 10], steps.Where(step => step.State == StepState.Skipped).Select(step => step.Number));
        Assert.DoesNotContain(steps, step => step.State == StepState.Astray);
    }

    [Fact]
    public void RulesNotKnown_CannotTell() => Assert.StartsWith("cannot tell: step 4 (rule): no agent answers", LastLine(PacketTrace.Run(HealthyNode.Alone, Packet)), StringComparison.Ordinal);

    [Fact]
    public void MangleTableNotReadable_CannotTell() =>
        Assert.StartsWith("cannot tell: step 3 (hook)", LastLine(PacketTrace.Run(Well.WithV4(family => family with { Mangle = null }) with { Agent = new AgentFacts() }, Packet)), StringComparison.Ordinal);

    [Fact]
    public void RulesWrittenDown_AreFollowedAndSaidToBe()
    {
        var steps = PacketTrace.Run(HealthyNode.Written, Packet with { Endpoint = null, Policy = null });
        Assert.Equal([1, 8], steps.Where(step => step.State == StepState.Unseen).Select(step => step.Number));
        Assert.Contains("written beside the steering lock", steps[3].Text, StringComparison.Ordinal);
        Assert.Equal("nothing astray", LastLine(steps));
    }

    [Fact]
    public void RulesWrittenDownButNothingInTheKernel_AstrayAt3() =>
        AstrayAt(3, HealthyNode.Written with { Bpf = new BpfFacts { Folder = "/sys/fs/bpf/postern/1" } }, Packet with { Endpoint = null, Policy = null });

    [Theory]
    [InlineData("from=10.0.0.2/32,port=80,proxy-port=10001", true)]
    [InlineData("to=192.0.2.0/24,port=1-100,proxy-port=10001", true)]
    [InlineData("port=80,in=c0,proxy-port=10001", true)]
    [InlineData("port=80,in=c+,proxy-port=10001", true)]
    [InlineData("port=80,in=c1,proxy-port=10001", false)]
    [InlineData("from=10.0.0.2/32,port=81-90,proxy-port=10001", false)]
    [InlineData("from=10.0.0.3/32,port=80,proxy-port=10001", false)]
    [InlineData("to=fd00::/8,port=80,proxy-port=10001", false)]
    public void Rule_MatchesAsTheKernelDoes(string rule, bool matches) =>
        Assert.Equal(matches, RuleMatch.Find([SteeringRule.Parse(rule)], HealthyNode.Pod, HealthyNode.Server, SteeringProtocol.Tcp, "c0") is not null);

    [Fact]
    public void Rule_FirstOfSeveralDecides()
    {
        var first = SteeringRule.Parse("from=10.0.0.2/32,port=80,proxy-port=1");
        Assert.Same(first, RuleMatch.Find([first, SteeringRule.Parse("port=80,proxy-port=2")], HealthyNode.Pod, HealthyNode.Server, SteeringProtocol.Tcp, "c0"));
    }

    [Theory]
    [InlineData("10.0.0.2:80", true)]
    [InlineData("[fd00::2]:80", true)]
    [InlineData("10.0.0.2", false)]
    [InlineData("10.0.0.2:0", false)]
    [InlineData("10.0.0.2:65536", false)]
    [InlineData("10.1:80", false)]
    [InlineData("fd00::2:80", false)]
    [InlineData("[10.0.0.2]:80", false)]
    [InlineData("host:80", false)]
    [InlineData(":80", false)]
    [InlineData("10.0.0.2:+80", false)]
    public void Destination_IsWrittenOut(string text, bool good) => Assert.Equal(good, DoctorTraceCommand.TryEndPoint(text, out _));

    private static void AstrayAt(int number, NodeFacts node, PathFacts path)
    {
        var steps = PacketTrace.Run(node, path);
        var first = steps.FirstOrDefault(step => step.State == StepState.Astray);
        Assert.True(first?.Number == number, $"first astray at {first?.Number}: {string.Join('\n', steps)}");
        Assert.False(string.IsNullOrEmpty(first!.Mend));
        Assert.StartsWith($"astray at step {number} ", LastLine(steps), StringComparison.Ordinal);
    }

    private static string LastLine(System.Collections.Generic.IReadOnlyList<PathStep> steps)
    {
        var output = new System.IO.StringWriter(System.Globalization.CultureInfo.InvariantCulture);
        DoctorTraceCommand.Write(steps, output);
        return output.ToString().TrimEnd().Split('\n')[^1];
    }
}
