using System;
using System.IO;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Proxy;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Agent;

/// <summary>A proxy whose agent falls silent at the moment of the launch. Addresses belong to others by now, so what was in force before would let in who is forbidden.</summary>
public sealed class LateAnswerTests : IDisposable
{
    private const string Landing = "/v1/request-landing";
    private const string Attack = "/from-the-xwing";

    // The ships have changed their addresses.
    private const string TiefighterNow = AgentRig.Xwing;
    private const string XwingNow = AgentRig.Tiefighter;

    private AgentRig _rig = null!;
    private Origin _deathstar = null!;

    public void Dispose() => _rig?.Dispose();

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void AsShipped_NothingOfBeforeIsInForce(SteeringMode mode)
    {
        Use(mode);
        var agent = SilentAgent();

        AssertNobodyGetsThrough();

        Assert.DoesNotContain("state on disk", _rig.ProxyLog(), StringComparison.Ordinal);
        AssertPolicedOnceItSpeaks(agent);
    }

    [NetnsFact]
    public void IdentitiesLostAndTheProxyKeepsState_ItIsRefused()
    {
        Use(SteeringMode.Iptables);
        _rig.ProxyArguments = ["--state-dir", _rig.Net.File("proxy-state")];
        var agent = SilentAgent(() => File.Delete(_rig.Net.File("agent-state/identities.json")));

        Patience.Until(() => _rig.ProxyLog().Contains("state on disk", StringComparison.Ordinal), _rig.ProxyLog);
        AssertNobodyGetsThrough();

        Assert.DoesNotContain("in force from the state on disk", _rig.ProxyLog(), StringComparison.Ordinal);
        AssertPolicedOnceItSpeaks(agent);
    }

    [NetnsFact]
    public void StateFolderRestoredFromABackup_ProxyOfTheLaterNumbersIsNotSpokenTo()
    {
        Use(SteeringMode.Iptables);
        var agent = _rig.Start();
        _rig.WaitEnforced();
        var identities = _rig.Net.File("agent-state/identities.json");
        var backup = File.ReadAllBytes(identities);
        _rig.WriteAndWait("endpoints.yaml", AgentRig.Endpoints("deathstar", "late-fighter", "xwing"));
        _rig.WriteAndWait("rule1.yaml", Policies.L4);
        var pid = _rig.ProxyPid();
        agent.Signal("KILL");
        agent.WaitForExit();
        File.WriteAllBytes(identities, backup);
        // Of a kind that neither knew: it gets the number of the late fighter, which the running proxy lets in.
        _rig.Write("endpoints.yaml", AgentRig.Endpoints("deathstar", "", "ywing"));
        _rig.StopAgentAtLaunch();
        agent = _rig.Start();

        Patience.Until(() => !Directory.Exists($"/proc/{pid}"), () => "the proxy of before lives: " + string.Join('\n', agent.Log));
        agent.WaitForLog("is killed and another launched");
        AssertNobodyGetsThrough();
        File.Delete(_rig.Net.File("stop-agent"));
        agent.Signal("CONT");
        _rig.WaitEnforced();
        Assert.DoesNotContain("200", _rig.Ask(AgentRig.Xwing, "POST", Attack), StringComparison.Ordinal);
    }

    private void Use(SteeringMode mode)
    {
        _rig = new AgentRig(mode);
        _deathstar = _rig.Net.AddOrigin();
    }

    /// <summary>An agent that is stopped, its proxy launched; and before it a whole life of another, which ended without an order.</summary>
    private PosternProcess SilentAgent(Action? between = null)
    {
        var agent = _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L4);
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "POST", Landing), StringComparison.Ordinal);
        var pid = _rig.ProxyPid();
        agent.Signal("KILL");
        agent.WaitForExit();
        _rig.Kill("TERM", pid); // so that it writes what it keeps
        Patience.Until(() => !Directory.Exists($"/proc/{pid}"), _rig.ProxyLog);
        between?.Invoke();
        File.Delete(_rig.Net.File("run/proxy.log"));
        _rig.Write("endpoints.yaml", Swap(AgentRig.Endpoints("deathstar", "tiefighter", "xwing")));
        _rig.StopAgentAtLaunch();
        return _rig.Start();
    }

    private void AssertNobodyGetsThrough()
    {
        var before = _deathstar.Requests.Count;
        Patience.Until(() => Ready() != "exit 7" && Ready() != "exit 28", () => "the proxy does not come up: " + Ready() + _rig.ProxyLog());
        Assert.DoesNotContain("200", _rig.Ask(XwingNow, "POST", Attack), StringComparison.Ordinal);
        Assert.DoesNotContain("200", _rig.Ask(TiefighterNow, "POST", Attack), StringComparison.Ordinal);
        Assert.Equal(before, _deathstar.Requests.Count);
    }

    private string Ready() => _rig.Net.Curl("-m", "3", "--unix-socket", _rig.Net.File("run/admin.sock"), "http://admin/ready");

    private void AssertPolicedOnceItSpeaks(PosternProcess agent)
    {
        File.Delete(_rig.Net.File("stop-agent"));
        agent.Signal("CONT");
        _rig.WaitEnforced();
        Assert.StartsWith("200 ", _rig.Ask(TiefighterNow, "POST", Landing), StringComparison.Ordinal);
        Assert.DoesNotContain("200", _rig.Ask(XwingNow, "POST", Attack), StringComparison.Ordinal);
    }

    private static string Swap(string endpoints) => Swap(Swap(endpoints, ProxyRig.Client, ProxyRig.Other), ProxyRig.ClientV6, ProxyRig.OtherV6);

    private static string Swap(string text, string one, string other) =>
        text.Replace($"\"{one}\"", "\"?\"", StringComparison.Ordinal).Replace($"\"{other}\"", $"\"{one}\"", StringComparison.Ordinal).Replace("\"?\"", $"\"{other}\"", StringComparison.Ordinal);
}
