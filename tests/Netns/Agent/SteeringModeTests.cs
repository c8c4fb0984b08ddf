using System;
using System.Linq;
using System.Text.Json;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Proxy;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Agent;

/// <summary>What the agent says and does about the ways of steering, one after the other and side by side.</summary>
public sealed class SteeringModeTests : IDisposable
{
    private const string Landing = "/v1/request-landing";
    private const string Attack = "/from-the-xwing";

    private AgentRig _rig = null!;
    private Origin _deathstar = null!;

    public static TheoryData<SteeringMode, SteeringMode> Changes =>
        SteeringModes.WhyNoEbpf is null ? new() { { SteeringMode.Ebpf, SteeringMode.Iptables }, { SteeringMode.Iptables, SteeringMode.Ebpf } } : new() { { SteeringMode.Iptables, SteeringMode.Iptables } };

    public void Dispose() => _rig?.Dispose();

    [NetnsTheory]
    [MemberData(nameof(Changes))]
    public void AgentKilledAndStartedInAnotherMode_TheXwingNeverGetsThrough(SteeringMode before, SteeringMode after)
    {
        Use(SteeringMode.Auto);
        var agent = _rig.Start("--steering", Name(before));
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L4);
        var proxy = _rig.ProxyPid();
        using var load = new Load(_rig, (AgentRig.Tiefighter, "POST", Landing), (AgentRig.Xwing, "POST", Attack), (AgentRig.Xwing, "GET", Attack));
        foreach (var next in (SteeringMode[])[after, before])
        {
            agent.Signal("KILL");
            agent.WaitForExit();
            Grows(load, Landing + ": 200"); // under the policy in force
            Grows(load, Attack);

            agent = _rig.Start("--steering", Name(next));
            _rig.WaitEnforced();

            Assert.Equal(Name(next), _rig.Status().GetProperty("steering").GetProperty("mode").GetString());
            Assert.Equal(next == SteeringMode.Iptables, _rig.Net.Steering().Contains("TPROXY", StringComparison.Ordinal));
            Assert.Equal(next == SteeringMode.Ebpf, _rig.Pins().Count > 0);
            Assert.Equal(proxy, _rig.ProxyPid());
            Grows(load, Landing + ": 200");
            Grows(load, Attack);
        }
        load.Stop();
        Assert.DoesNotContain(_deathstar.Requests, request => request.Contains(Attack, StringComparison.Ordinal));
        Assert.Equal(0, load.Count(Attack + ": 200"));
        agent.Signal("TERM");
        Assert.Equal(0, agent.WaitForExit());
        Assert.Equal("", _rig.Leftovers());
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void SecondAgentWithFoldersOfItsOwn_IsRefusedForTheSteering(SteeringMode mode)
    {
        Use(mode);
        _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L4);
        var rules = _rig.Rules();

        var second = _rig.Start("--runtime-dir", _rig.Net.File("run2"), "--state-dir", _rig.Net.File("state2"));

        Assert.Equal(1, second.WaitForExit());
        Assert.Single(second.Log, line => line.StartsWith("postern-agent: another process steers in this network namespace", StringComparison.Ordinal));
        Assert.Equal(rules, _rig.Rules());
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "POST", Landing), StringComparison.Ordinal);
        Assert.DoesNotContain("200", _rig.Ask(AgentRig.Xwing, "POST", Attack), StringComparison.Ordinal);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void InterfaceThatComesLater_IsNoErrorAndIsPolicedOnceItIsThere(SteeringMode mode)
    {
        Use(mode);
        var endpoints = AgentRig.Endpoints("deathstar", "tiefighter", "xwing");
        var address = $"ips: [\"{AgentRig.Tiefighter}\"";
        Assert.Contains(address, endpoints, StringComparison.Ordinal);
        _rig.Write("endpoints.yaml", endpoints.Replace("  " + address, "  interface: lxc1\n  " + address, StringComparison.Ordinal));
        _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("leash.yaml", Policies.Egress.Replace("- port: \"80\"", "- port: \"81\"", StringComparison.Ordinal));
        Assert.Contains(_rig.Rules(), rule => rule.Contains("in=lxc1", StringComparison.Ordinal));
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "POST", "/not-by-lxc1"), StringComparison.Ordinal);

        _rig.Net.Net.Node.Ip("link set c0 name lxc1");

        Patience.Until(() => !_rig.Ask(AgentRig.Tiefighter, "POST", "/late").StartsWith("200 ", StringComparison.Ordinal), () => _rig.Cli("status"));
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Xwing, "POST", "/has-no-interface"), StringComparison.Ordinal);
        Assert.Equal("", _rig.Status().GetProperty("steering").GetProperty("error").GetString());
    }

    [NetnsFact]
    public void Auto_SaysWhatItTookAndWhy()
    {
        Use(SteeringMode.Auto);
        var agent = _rig.Start();
        _rig.WaitEnforced();
        var steering = _rig.Status().GetProperty("steering");
        Assert.Equal(SteeringModes.WhyNoEbpf is null ? "ebpf" : "iptables", steering.GetProperty("mode").GetString());
        var reason = steering.GetProperty("reason").GetString()!;
        Assert.NotEqual("", reason);
        agent.WaitForLog(reason["auto: ".Length..]);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void SteeringCommands_ShowRulesAndWhatPacketsMet(SteeringMode mode)
    {
        Use(mode);
        _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L4);
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "POST", Landing), StringComparison.Ordinal);

        var list = _rig.Cli("steering", "list");
        Assert.All(_rig.Rules(), rule => Assert.Contains(rule, list, StringComparison.Ordinal));
        var counters = JsonElement.Parse(_rig.Cli("steering", "counters", "-o", "json"));
        if (mode == SteeringMode.Iptables)
        {
            Assert.Contains("POSTERN_PRE_mangle", counters.GetProperty("note").GetString(), StringComparison.Ordinal);
            return;
        }
        Assert.Contains("c0", _rig.Status().GetProperty("steering").GetProperty("devices").EnumerateArray().Select(device => device.GetString()));
        var fresh = counters.GetProperty("counters").EnumerateArray().Single(counter => counter.GetProperty("name").GetString() == "SteeredNew");
        Assert.True(fresh.GetProperty("packets").GetInt64() > 0, counters.ToString());
    }

    private static string Name(SteeringMode mode) => mode.ToString().ToLowerInvariant();

    private static void Grows(Load load, string what)
    {
        var before = load.Count(what);
        Patience.Until(() => load.Count(what) > before, load.Report);
    }

    private void Use(SteeringMode mode)
    {
        _rig = new AgentRig(mode);
        _deathstar = _rig.Net.AddOrigin();
    }
}
