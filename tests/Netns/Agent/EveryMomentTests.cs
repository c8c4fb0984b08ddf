using System;
using System.IO;
using System.Linq;
using Postern.Netns.Fixture;
using Postern.Tests.Netns.Proxy;
using Postern.Tproxy.Steering;
using Xunit.Abstractions;

namespace Postern.Tests.Netns.Agent;

/// <summary>What is forbidden before and after a change is forbidden at every moment of it. What counts is what reaches the server.</summary>
public sealed class EveryMomentTests : IDisposable
{
    private const string Landing = "/v1/request-landing";
    private const string Attack = "/from-the-xwing";

    private readonly ITestOutputHelper _output;
    private AgentRig _rig = null!;
    private Origin _deathstar = null!;

    public EveryMomentTests(ITestOutputHelper output) => _output = output;

    public void Dispose() => _rig?.Dispose();

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void ManyChangesUnderLoad_TheXwingNeverGetsThrough(SteeringMode mode)
    {
        Use(mode);
        _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L4);
        using var load = Attackers();
        Action[] changes =
        [
            () => _rig.Write("rule1.yaml", Policies.L7),
            () => _rig.Write("leash.yaml", Policies.Egress),
            () => _rig.Rename("rule1.yaml", "renamed.yaml"),
            () => _rig.Truncate("renamed.yaml"),
            () => _rig.Write("renamed.yaml", Policies.L4),
            () => _rig.Remove("leash.yaml"),
            () => _rig.Write("renamed.yaml", Policies.L7.Replace("rules:", "rulez:", StringComparison.Ordinal)),
            () => _rig.Rename("renamed.yaml", "rule1.yaml"),
            () => _rig.Write("rule1.yaml", Policies.L4),
        ];
        for (var i = 0; i < 100; i++)
        {
            var asked = load.Count(Attack);
            changes[i % changes.Length]();
            Patience.Until(() => load.Count(Attack) > asked, load.Report);
        }
        AssertNothingForbiddenPassed(load);
        Assert.Equal(0, load.Count(Landing + ": 403"));
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void ProxyKilledAtTheMomentOfAChange_TheXwingNeverGetsThrough(SteeringMode mode)
    {
        Use(mode);
        _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L4);
        using var load = Attackers();
        for (var i = 0; i < 4; i++)
        {
            var pid = _rig.ProxyPid();
            _rig.Write("rule1.yaml", i % 2 == 0 ? Policies.L7 : Policies.L4);
            _rig.Kill("KILL", pid);
            _rig.WaitEnforced(i + 3);
            WaitForAnswers(load);
        }
        AssertNothingForbiddenPassed(load);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void AgentKilledAtTheMomentOfAChange_TheXwingNeverGetsThrough(SteeringMode mode)
    {
        Use(mode);
        var agent = _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L4);
        using var load = Attackers();
        for (var i = 0; i < 4; i++)
        {
            var asked = load.Count(Attack);
            _rig.Write("rule1.yaml", i % 2 == 0 ? Policies.L7 : Policies.L4);
            // At another moment of the change in every round.
            Patience.Until(() => load.Count(Attack) > asked + i, load.Report);
            agent.Signal("KILL");
            agent.WaitForExit();
            agent = _rig.Start();
            _rig.WaitEnforced();
            WaitForAnswers(load);
        }
        AssertNothingForbiddenPassed(load);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void IdentitiesLostAndNumberedAnew_TheXwingNeverGetsThrough(SteeringMode mode)
    {
        Use(mode);
        var agent = _rig.Start();
        _rig.WaitEnforced();
        _rig.WriteAndWait("rule1.yaml", Policies.L4);
        using var load = Attackers();
        var pid = _rig.ProxyPid();
        var bootstrap = File.ReadAllText(_rig.Net.File("run/bootstrap.yaml"));
        agent.Signal("KILL");
        agent.WaitForExit();
        // The xwing now comes before the tiefighter and would get the number that the running proxy lets in.
        _rig.Write("endpoints.yaml", AgentRig.Endpoints("deathstar", "zfighter", "xwing"));
        File.Delete(_rig.Net.File("agent-state/identities.json"));
        _rig.Start();
        _rig.WaitEnforced();
        Assert.NotEqual(pid, _rig.ProxyPid());
        // Another node id: what a proxy keeps on disk means the old numbers, and a slow agent would let it come in force.
        Assert.NotEqual(bootstrap, File.ReadAllText(_rig.Net.File("run/bootstrap.yaml")));
        AssertNothingForbiddenPassed(load);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void EndpointAddedWhileTheProxyIsSilent_IsClosedUntilItIsPoliced(SteeringMode mode)
    {
        Use(mode);
        _rig.Write("endpoints.yaml", AgentRig.Endpoints("", "tiefighter", "xwing"));
        _rig.Start();
        _rig.WaitEnforced();
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Xwing, "POST", "/before"), StringComparison.Ordinal);
        var pid = _rig.ProxyPid();
        _rig.Kill("STOP", pid);

        _rig.Write("endpoints.yaml", AgentRig.Endpoints("deathstar", "tiefighter", "xwing") + "\n---\n" + Policies.L4);
        Patience.Until(() => _rig.Rules().Count > 0, () => _rig.Cli("status"));
        Assert.Equal("timeout", _rig.Ask(AgentRig.Xwing, "POST", Attack));
        Assert.DoesNotContain(_deathstar.Requests, request => request.Contains(Attack, StringComparison.Ordinal));

        _rig.Kill("CONT", pid);
        _rig.WaitEnforced(2);
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "POST", Landing), StringComparison.Ordinal);
        Assert.DoesNotContain("200", _rig.Ask(AgentRig.Xwing, "POST", Attack), StringComparison.Ordinal);
    }

    [NetnsTheory]
    [MemberData(nameof(SteeringModes.All), MemberType = typeof(SteeringModes))]
    public void FirstStartWithABadPolicy_EndpointsAreClosedUntilItIsMended(SteeringMode mode)
    {
        Use(mode);
        _rig.Write("rule1.yaml", Policies.L4.Replace("ingress:", "ingres:", StringComparison.Ordinal));
        _rig.Start();
        Patience.Until(() => _rig.Cli("status", "-o", "json").StartsWith('{') && _rig.Rules().Count > 0, () => _rig.Cli("status"));
        Assert.Equal("timeout", _rig.Ask(AgentRig.Xwing, "POST", Attack));
        Assert.Equal("timeout", _rig.Ask(AgentRig.Tiefighter, "POST", Landing));
        Assert.Contains("cut off", _rig.Cli("status"), StringComparison.Ordinal);
        Assert.Empty(_deathstar.Requests);

        _rig.WriteAndWait("rule1.yaml", Policies.L4);
        Assert.StartsWith("200 ", _rig.Ask(AgentRig.Tiefighter, "POST", Landing), StringComparison.Ordinal);
        Assert.DoesNotContain("200", _rig.Ask(AgentRig.Xwing, "POST", Attack), StringComparison.Ordinal);
    }

    private void Use(SteeringMode mode)
    {
        _rig = new AgentRig(mode);
        _deathstar = _rig.Net.AddOrigin();
    }

    private Load Attackers() => new(_rig, (AgentRig.Tiefighter, "POST", Landing), (AgentRig.Xwing, "POST", Attack), (AgentRig.Xwing, "GET", Attack));

    // Both ships were served or turned away since the change, by a proxy that lives.
    private static void WaitForAnswers(Load load)
    {
        var (landed, attacked) = (load.Count(Landing + ": 200"), load.Count(Attack));
        Patience.Until(() => load.Count(Landing + ": 200") > landed + 1 && load.Count(Attack) > attacked + 2, load.Report);
    }

    // Ends the load.
    private void AssertNothingForbiddenPassed(Load load)
    {
        Patience.Until(() => load.Count(Attack) > 10 && load.Count(Landing + ": 200") > 0, load.Report);
        load.Stop();
        _output.WriteLine(load.Report());
        Assert.DoesNotContain(_deathstar.Requests, request => request.Contains(Attack, StringComparison.Ordinal));
        Assert.Equal(0, load.Count(Attack + ": 200"));
    }
}
