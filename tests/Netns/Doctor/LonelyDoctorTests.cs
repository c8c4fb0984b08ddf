using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Proxy;
using Postern.Tests.Netns.Steering;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Doctor;

/// <summary>The doctor as a process on a node whose agent is gone, with the lock folder of every agent.</summary>
public sealed class LonelyDoctorTests : IDisposable
{
    private readonly NodeTopology _net = new();
    private readonly BpfMount _bpf = new();
    private readonly TestRelay _relay;
    private readonly List<ISteering> _steering = [];
    private readonly string _rules;

    public LonelyDoctorTests()
    {
        _relay = new TestRelay(_net.Node);
        _rules = _net.Node.Inside(() => RulesFile.PathIn(SteeringOptions.Default.LockDirectory));
    }

    public void Dispose()
    {
        _steering.ForEach(one => _net.Node.Inside(one.Dispose));
        File.Delete(Path.ChangeExtension(_rules, ".lock"));
        _relay.Dispose();
        _net.Dispose();
        _bpf.Dispose();
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void RulesAreKnown_PacketIsFollowedToTheListener(SteeringMode mode)
    {
        Steer(mode);

        var (code, trace) = Ask("doctor", "trace", "--from", NodeTopology.ClientV4, "--to", NodeTopology.ServerV4 + ":80");

        Assert.True(code == 0, trace.ToString());
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (trace.GetProperty("astrayAt").ValueKind, trace.GetProperty("blindAt").ValueKind));
        Assert.DoesNotContain(trace.GetProperty("steps").EnumerateArray(), step => step.GetProperty("state").GetString() == "Skipped");
        Assert.Equal(mode == SteeringMode.Ebpf, trace.ToString().Contains("written beside the steering lock", StringComparison.Ordinal));
        var (examined, findings) = Ask("doctor");
        Assert.True(examined == 0, findings.ToString());
        Assert.Equal(mode == SteeringMode.Ebpf, Ids(findings).Contains("steering.rules-written"));
        Assert.Contains("listener.fine", Ids(findings));
    }

    [NetnsFact]
    public void RulesAreNotKnown_CannotTellAndIsNoSuccess()
    {
        Steer(SteeringMode.Ebpf);
        File.Delete(_rules);

        var outcome = Run("doctor", "trace", "--from", NodeTopology.ClientV4, "--to", NodeTopology.ServerV4 + ":80");

        Assert.Equal(1, outcome.ExitCode);
        Assert.StartsWith("cannot tell: step 4 (rule): ", outcome.Output.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
        Assert.Contains("steering.rules-unknown", Ids(Ask("doctor").Output));
    }

    [NetnsFact]
    public void PinsAreElsewhere_TheRulesTellThatSomethingIsAmiss()
    {
        Steer(SteeringMode.Ebpf);

        var outcome = _net.Node.Run("env", ["DOTNET_EnableDiagnostics=0", .. PosternProcess.CommandOf("postern-agent.dll"), "doctor", "--quiet", "--api-socket", "/nonexistent/agent.sock", "--bpf-root", "/nonexistent"]);

        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("steering.absent", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("--bpf-root", outcome.Output, StringComparison.Ordinal);
    }

    private void Steer(SteeringMode mode) => _net.Node.Inside(() =>
    {
        var steering = SteeringSelector.Choose(mode, SteeringOptions.Default with { BpfRoot = _bpf.Folder }, _ => { });
        _steering.Add(steering);
        steering.Replace([SteeringRule.Parse($"to={NodeTopology.ServerV4}/32,port=80,proxy-port=15001")]);
    });

    private (int Code, JsonElement Output) Ask(params string[] arguments)
    {
        var outcome = Run([.. arguments, "-o", "json"]);
        return outcome.Output.Length > 0 ? (outcome.ExitCode, JsonElement.Parse(outcome.Output)) : throw new InvalidOperationException(outcome.Error);
    }

    private CommandOutcome Run(params string[] arguments) =>
        _net.Node.Run("env", ["DOTNET_EnableDiagnostics=0", .. PosternProcess.CommandOf("postern-agent.dll"), .. arguments, "--api-socket", "/nonexistent/agent.sock", "--bpf-root", _bpf.Folder]);

    private static string[] Ids(JsonElement findings) => [.. findings.EnumerateArray().Select(finding => finding.GetProperty("id").GetString()!)];
}
