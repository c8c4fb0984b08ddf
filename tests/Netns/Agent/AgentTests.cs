using System;
using System.Linq;
using System.Text.Json;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Proxy;
using Postern.Tproxy.Steering;
using Xunit.Abstractions;

namespace Postern.Tests.Netns.Agent;

/// <summary>Agent, proxy and clients, whole: from CiliumNetworkPolicy YAML to what curl gets.</summary>
public sealed class AgentTests : IDisposable
{
    private const string Landing = "/v1/request-landing";
    private const string Exhaust = "/v1/exhaust-port";

    private readonly ITestOutputHelper _output;
    private AgentRig _rig = null!;
    private Origin _deathstar = null!;

    public AgentTests(ITestOutputHelper output) => _output = output;

    public void Dispose() => _rig?.Dispose();

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void Starwars_EachPolicyIsEnforcedAsWritten(SteeringMode mode)
    {
        Use(mode);
        _rig.Start();
        _rig.WaitEnforced();
        Assert.True(JsonElement.DeepEquals(_rig.Status().GetProperty("policy"), JsonElement.Parse(_rig.Cli("status", "-o", "json")).GetProperty("policy")));
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Xwing, "POST", Landing), StringComparison.Ordinal);
        Assert.Empty(_rig.Rules());

        _rig.WriteAndWait("rule1.yaml", Policies.L4);
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "POST", Landing), StringComparison.Ordinal);
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "PUT", Exhaust), StringComparison.Ordinal);
        Assert.Contains(_rig.Ask(AgentRig.Xwing, "POST", Landing), Refused);

        _rig.WriteAndWait("rule1.yaml", Policies.L7);
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "POST", Landing), StringComparison.Ordinal);
        Assert.Equal("403 Access denied", _rig.Ask(AgentRig.Tiefighter, "PUT", Exhaust));
        Assert.Contains(_rig.Ask(AgentRig.Xwing, "POST", Landing), Refused);
        Assert.Contains("default/rule1", _rig.Cli("policy", "trace", "--from", "default/tiefighter", "--to", "default/deathstar", "--port", "80", "--http", "POST " + Landing), StringComparison.Ordinal);

        _rig.Remove("rule1.yaml");
        Patience.Until(() => _rig.Rules().Count == 0, () => _rig.Cli("status"));
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Xwing, "PUT", Exhaust), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void OtherPortsOfAnEnforcedEndpoint_AreDenied()
    {
        Use(SteeringMode.Iptables);
        using var other = _rig.Net.AddOrigin(8080);
        _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L7);
        var got = _rig.Net.Curl("-m", "3", $"http://{ProxyRig.Server}:8080/");
        Assert.StartsWith("exit", got, StringComparison.Ordinal);
        Assert.Empty(other.Requests);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void EgressAndIngressOfOneConnection_AreBothJudged(SteeringMode mode)
    {
        Use(mode);
        _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("leash.yaml", Policies.Egress);
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "PUT", Exhaust), StringComparison.Ordinal);
        _rig.WriteAndWait("rule1.yaml", Policies.L7);
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "POST", Landing), StringComparison.Ordinal);
        Assert.Equal("403 Access denied", _rig.Ask(AgentRig.Tiefighter, "PUT", Exhaust));
        Assert.Contains(_rig.Ask(AgentRig.Xwing, "POST", Landing), Refused);
        // The other way round nothing is enforced for the client: answers of an enforced endpoint are answers, not connections of its own.
        _rig.WriteAndWait("rule1.yaml", Policies.Egress.Replace("tiefighter", "deathstar", StringComparison.Ordinal).Replace("leash", "rule1", StringComparison.Ordinal));
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Xwing, "PUT", Exhaust), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void BadYaml_ChangesNothingAndStatusNamesTheLine()
    {
        Use(SteeringMode.Iptables);
        _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L7);
        _rig.Write("rule1.yaml", Policies.L7.Replace("fromEndpoints", "fromEndpoint", StringComparison.Ordinal));
        Patience.Until(
            () => _rig.Cli("status").Contains("fromEndpoints", StringComparison.Ordinal),
            () => _rig.Cli("status"));
        Assert.Contains("rule1.yaml:", _rig.Cli("status"), StringComparison.Ordinal);
        Assert.Equal("403 Access denied", _rig.Ask(AgentRig.Tiefighter, "PUT", Exhaust));
        Assert.Contains(_rig.Ask(AgentRig.Xwing, "POST", Landing), Refused);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void ProxyKilledUnderLoad_ComesBackAndNothingForbiddenPasses(SteeringMode mode)
    {
        Use(mode);
        _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L7);
        using var load = new Load(_rig, (AgentRig.Tiefighter, "POST", Landing), (AgentRig.Tiefighter, "PUT", Exhaust), (AgentRig.Xwing, "POST", "/from-the-xwing"));
        for (var kill = 0; kill < 2; kill++)
        {
            var served = _deathstar.Requests.Count;
            Patience.Until(() => _deathstar.Requests.Count > served + 10, () => "no load reaches the death star: " + load.Report());
            var pid = _rig.ProxyPid();
            _rig.Kill("KILL", pid);
            Patience.Until(() => _rig.Status().GetProperty("proxy") is var proxy && proxy.GetProperty("pid").ValueKind == System.Text.Json.JsonValueKind.Number && proxy.GetProperty("pid").GetInt32() != pid, () => _rig.Cli("status"));
        }
        var last = _deathstar.Requests.Count;
        Patience.Until(() => _deathstar.Requests.Count > last + 10, () => "the load did not come back: " + load.Report() + _rig.ProxyLog());
        load.Stop();
        _output.WriteLine(load.Report());

        var forbidden = _deathstar.Requests.Where(r => !r.EndsWith("POST " + Landing, StringComparison.Ordinal)).ToList();
        Assert.Empty(forbidden);
        Assert.Equal(0, load.Count($"PUT {Exhaust}: 200"));
        Assert.Equal(0, load.Count("/from-the-xwing: 200"));
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void AgentKilled_TheNextOneAdoptsTheProxyAndConnectionsLive(SteeringMode mode)
    {
        Use(mode);
        var first = _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L7);
        var pid = _rig.ProxyPid();
        using var open = _rig.Net.Connect(source: AgentRig.Tiefighter);
        Assert.StartsWith("200 ", open.Ask(Landing, "POST"), StringComparison.Ordinal);

        first.Signal("KILL");
        first.WaitForExit();
        Assert.StartsWith("200 ", open.Ask(Landing, "POST"), StringComparison.Ordinal);
        Assert.StartsWith("403 ", _rig.Ask(AgentRig.Tiefighter, "PUT", Exhaust), StringComparison.Ordinal);

        _rig.Start();
        _rig.WaitEnforced();
        Assert.Equal(pid, _rig.ProxyPid());
        Assert.StartsWith("200 ", open.Ask(Landing, "POST"), StringComparison.Ordinal);
        _rig.WriteAndWait("rule1.yaml", Policies.L7.Replace("\"POST\"", "\"PUT\"", StringComparison.Ordinal).Replace(Landing, Exhaust, StringComparison.Ordinal));
        Assert.StartsWith("200 ", open.Ask(Exhaust, "PUT"), StringComparison.Ordinal);
        Assert.StartsWith("403 ", open.Ask(Landing, "POST"), StringComparison.Ordinal);
    }

    [NetnsFact]
    public void SecondAgent_RefusesAndSaysWhy()
    {
        Use(SteeringMode.Iptables);
        _rig.Start();
        _rig.WaitEnforced();
        var second = _rig.Start();
        Assert.NotEqual(0, second.WaitForExit());
        Assert.Contains(_rig.Net.File("run"), string.Join('\n', second.Log) + second.Output, StringComparison.Ordinal);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void Stop_LeavesNothingBehind(SteeringMode mode)
    {
        Use(mode);
        var agent = _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L7);
        agent.Signal("TERM");
        Assert.Equal(0, agent.WaitForExit());
        Assert.Equal("", _rig.Leftovers());
        Assert.Empty(_rig.Processes());
    }

    private void Use(SteeringMode mode)
    {
        _rig = new AgentRig(mode);
        _deathstar = _rig.Net.AddOrigin();
    }

    private static readonly string[] Refused = ["reset", "timeout"];
}
