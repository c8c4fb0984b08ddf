using System;
using System.Text.Json;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Agent;
using Postern.Tests.Netns.Proxy;

namespace Postern.Tests.Netns.Doctor;

/// <summary>The doctor beside a living agent and proxy.</summary>
public sealed class AgentDoctorTests : IDisposable
{
    private readonly AgentRig _rig = new();

    public AgentDoctorTests()
    {
        _rig.Write("endpoints.yaml", AgentRig.Endpoints("deathstar", "tiefighter", "xwing").Replace($"  ips: [\"{AgentRig.Tiefighter}\"", $"  interface: {NodeTopology.ClientSide}\n  ips: [\"{AgentRig.Tiefighter}\"", StringComparison.Ordinal));
        _rig.Start("--steering", "iptables");
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L7);
    }

    public void Dispose() => _rig.Dispose();

    [NetnsFact]
    public void LivingNode_IsFollowedToItsPolicyAndItsFaultsAreFound()
    {
        var (code, all) = Doctor("doctor");
        Assert.True(code == 0, all.ToString());
        Assert.Contains(all.EnumerateArray(), finding => finding.GetProperty("id").GetString() == "proxy.fine");
        Assert.Contains(all.EnumerateArray(), finding => finding.GetProperty("id").GetString() == "listener.fine");
        Assert.Equal(JsonValueKind.Null, Trace("default/tiefighter").ValueKind);
        // Policy refuses the X-wing: the way ends there, as meant.
        Assert.Equal(8, Trace("xwing").GetInt32());
        var unknown = Run("doctor", "trace", "--from", "default/falcon", "--to", ProxyRig.Server + ":80");
        Assert.Equal(2, unknown.ExitCode);
        Assert.Contains("default/tiefighter", unknown.Error, StringComparison.Ordinal);

        _rig.Net.Net.Node.Sysctl($"net.ipv4.conf.{NodeTopology.ClientSide}.rp_filter", "1");
        _rig.Net.Net.Node.Ip($"route add {AgentRig.Tiefighter}/32 dev {NodeTopology.ServerSide}");
        Assert.Equal(6, Trace("tiefighter").GetInt32());
        Assert.Contains(Doctor("doctor").Output.EnumerateArray(), finding => finding.GetProperty("id").GetString() == "sysctl.rp-filter-drops");
    }

    private JsonElement Trace(string from) => Doctor("doctor", "trace", "--from", from, "--to", ProxyRig.Server + ":80").Output.GetProperty("astrayAt");

    private (int Code, JsonElement Output) Doctor(params string[] arguments)
    {
        var outcome = Run([.. arguments, "-o", "json"]);
        return outcome.Output.Length > 0 ? (outcome.ExitCode, JsonElement.Parse(outcome.Output)) : throw new InvalidOperationException(outcome.Error);
    }

    private CommandOutcome Run(params string[] arguments) =>
        _rig.Net.Net.Node.Run("env", ["DOTNET_EnableDiagnostics=0", .. PosternProcess.CommandOf("postern-agent.dll"), .. arguments, "--api-socket", _rig.Net.File("run/agent.sock")]);
}
