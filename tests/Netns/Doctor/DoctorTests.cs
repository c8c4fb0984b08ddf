using System;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Doctor;

/// <summary>The doctor as a process on a real node (client, node, server; iptables steering of port 80) in which one thing at a time is broken. No agent runs.</summary>
public sealed class DoctorTests : IDisposable
{
    private readonly NodeTopology _net = new();
    private readonly SteeringRig _rig;
    private TestRelay? _relay;

    public DoctorTests()
    {
        _rig = new SteeringRig(_net.Node);
        _relay = new TestRelay(_net.Node);
        _rig.Install($"to={NodeTopology.ServerV4}/32,port=80,proxy-port=15001");
    }

    public void Dispose()
    {
        _relay?.Dispose();
        _rig.Dispose();
        _net.Dispose();
    }

    [NetnsFact]
    public void HealthyNode_NoFailureAndNothingAstray()
    {
        var (code, json) = Doctor("-o", "json");
        Assert.DoesNotContain(json.EnumerateArray(), finding => finding.GetProperty("level").GetString() == "Failure");
        Assert.Equal(0, code);
        Assert.Contains("listener.fine", Ids(json));
        Assert.Contains("routing.fine", Ids(json));
        var (traced, steps) = Trace();
        Assert.Equal((0, JsonValueKind.Null), (traced, steps.GetProperty("astrayAt").ValueKind));
    }

    [NetnsTheory]
    [InlineData("ip -4 rule del priority 9", "routing.no-rule", 5)]
    [InlineData("ip -4 route del local default dev lo table 2004", "routing.no-route", 5)]
    [InlineData("ip -4 rule add priority 5 fwmark 0x200/0xf00 lookup main", "routing.other-rule-first", 5)]
    [InlineData("iptables -t mangle -I PREROUTING 1 -s 10.0.0.0/8 -j ACCEPT", "steering.not-first", 3)]
    [InlineData("iptables -t mangle -D PREROUTING 1", "steering.not-fed", 3)]
    [InlineData("sysctl -qw net.ipv4.conf.all.src_valid_mark=1", "sysctl.src-valid-mark", 6)]
    [InlineData("sysctl -qw net.ipv4.ip_forward=0", "sysctl.forwarding-off", 0)]
    [InlineData("sysctl -qw net.ipv4.fwmark_reflect=1", "sysctl.fwmark-reflect", 0)]
    [InlineData("ip link set c0 down", "", 2)]
    [InlineData("ip link set c0 mtu 1000", "mtu.small-for-ipv6", 0)]
    [InlineData("ip -4 route del 10.71.2.0/24", "", 9)]
    public void BrokenNode_IsFoundAndTraced(string breaking, string finding, int step)
    {
        var words = breaking.Split(' ');
        _net.Node.Run(words[0], words[1..]).OrThrow();
        Expect(finding, step);
    }

    [NetnsFact]
    public void ListenerGone_IsFoundAndTraced()
    {
        _relay!.Dispose();
        _relay = null;
        Expect("listener.missing", 7);
    }

    [NetnsFact]
    public void ListenerNotTransparent_IsFoundAndTracedWithItsProcess()
    {
        _relay!.Dispose();
        _relay = null;
        using var plain = _net.Node.Inside(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            // The port may linger for a moment after the relay's accepted sockets.
            Wait.Until(() => Bound(socket), () => "port 15001 stays in use");
            socket.Listen();
            return socket;
        });
        Expect("listener.not-transparent", 7);
        Assert.Contains($"(pid {Environment.ProcessId})", Doctor("-o", "json").Output.ToString(), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void UnknownPod_IsAWrongQuestion()
    {
        var outcome = Run("doctor", "trace", "--from", "default/nobody", "--to", "10.71.2.2:80");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("default/nobody", outcome.Error, StringComparison.Ordinal);
    }

    [NetnsFact]
    public void Table_EndsInASummaryAndQuietShowsProblemsOnly()
    {
        var outcome = Run("doctor", "--quiet");
        Assert.DoesNotContain("\nok ", outcome.Output, StringComparison.Ordinal);
        Assert.Contains(" 0 failures", outcome.Output.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
        Assert.Contains("proxy.no-agent", outcome.Output, StringComparison.Ordinal);
    }

    private void Expect(string finding, int step)
    {
        var (_, json) = Doctor("-o", "json");
        Assert.True(finding.Length == 0 || Ids(json).Contains(finding), $"no {finding} in {json}");
        var (code, steps) = Trace();
        var at = steps.GetProperty("astrayAt");
        Assert.True((at.ValueKind == JsonValueKind.Null ? 0 : at.GetInt32()) == step, $"astray elsewhere than at {step}: {steps}");
        Assert.Equal(step == 0 ? 0 : 1, code);
    }

    private (int Code, JsonElement Output) Doctor(params string[] arguments) => Parse(Run(["doctor", .. arguments]));

    private (int Code, JsonElement Output) Trace() => Parse(Run("doctor", "trace", "--from", NodeTopology.ClientV4, "--to", NodeTopology.ServerV4 + ":80", "-o", "json"));

    private static (int Code, JsonElement Output) Parse(CommandOutcome outcome) =>
        outcome.Output.Length > 0 ? (outcome.ExitCode, JsonElement.Parse(outcome.Output)) : throw new InvalidOperationException(outcome.Error);

    private CommandOutcome Run(params string[] arguments) =>
        _net.Node.Run("env", ["DOTNET_EnableDiagnostics=0", .. PosternProcess.CommandOf("postern-agent.dll"), .. arguments, "--api-socket", "/nonexistent/agent.sock"]);

    private static string[] Ids(JsonElement findings) => [.. findings.EnumerateArray().Select(finding => finding.GetProperty("id").GetString()!)];

    private static bool Bound(Socket socket)
    {
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 15001));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
