using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Agent.Compile;
using Postern.Agent.Runtime;
using Postern.Agent.Serve;
using Postern.Agent.Supervise;
using Postern.Tests.Agent.Supervise;

namespace Postern.Tests.Agent.Runtime;

/// <summary>The main loop: what happens in which order, with fakes all round.</summary>
public sealed class NodeAgentTests : IAsyncDisposable
{
    private const string Rule = "to=10.0.0.1/32,port=80,proxy-port=10001";
    private const string Dropped = "to=10.0.0.1/32,port=80,proxy-port=1";

    private readonly HandClock clock = new();
    private readonly ConcurrentQueue<string> log = new();
    private readonly FakeSource source = new() { Node = FakeSource.NodeOf("default/a", "10.0.0.1") };
    private readonly FakeServing serving;
    private readonly FakeSteering steering;
    private readonly FakeLauncher launcher;
    private readonly CancellationTokenSource stop = new();
    private NodeAgent agent = null!;
    private Task running = Task.CompletedTask;

    public NodeAgentTests()
    {
        serving = new FakeServing(log.Enqueue);
        steering = new FakeSteering(log.Enqueue);
        launcher = new FakeLauncher(log.Enqueue);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stop.Dispose();
    }

    [Fact]
    public async Task Start_WhatPolicySpeaksAboutIsDroppedUntilTheAck()
    {
        await StartAsync();
        Assert.Equal(["steering: claimed", "steering: " + Dropped, "proxy: launched", "serving: default/a"], log);

        serving.Say(AckOutcome.Acked);

        await EnforcedAsync(1);
        Assert.Equal(["steering: " + Rule, "serving: retire"], log.Skip(4));
    }

    [Fact]
    public async Task AgentRestarts_RulesLeadToThePortsOfBeforeAtOnce()
    {
        serving.Remembered = 10001;

        await StartAsync();

        Assert.Equal(["steering: claimed", "steering: " + Rule, "proxy: launched", "serving: default/a"], log);
    }

    [Fact]
    public async Task EndpointIsAdded_IsSteeredBeforeTheProxyKnowsIt()
    {
        await StartAckedAsync();
        source.Node = FakeSource.NodeOf("default/b", "10.0.0.2");

        agent.FolderChanged();

        await AskedAsync();
        Assert.Equal(["steering: " + Rule + " | to=10.0.0.2/32,port=80,proxy-port=1", "serving: default/b"], log.TakeLast(2));
        serving.Say(AckOutcome.Acked);
        await LogAsync("steering: to=10.0.0.2/32,port=80,proxy-port=10001");
    }

    [Fact]
    public async Task PolicyChangesForWhatIsSteered_RulesWaitForTheAck()
    {
        await StartAckedAsync();
        source.Node = FakeSource.NodeOf("default/a2", "10.0.0.1");

        agent.FolderChanged();

        await AskedAsync();
        Assert.Equal(["serving: retire", "serving: default/a2"], log.TakeLast(2));
    }

    [Fact]
    public async Task EndpointThatCannotBePoliced_IsDroppedWhateverTheProxySays()
    {
        source.Node = FakeSource.NodeOf("default/a", "10.0.0.1") with { Blocked = [new BlockedEndpoint("default/z", [IPAddress.Parse("10.0.0.9")])] };
        await StartAsync();

        serving.Say(AckOutcome.Acked);

        await EnforcedAsync(1);
        Assert.Equal("steering: port=1-65535,from=10.0.0.9/32,proxy-port=1 | to=10.0.0.9/32,port=1-65535,proxy-port=1 | " + Rule, log.Last(line => line.StartsWith("steering", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ReadingThrows_WhatIsInForceStays()
    {
        await StartAckedAsync();
        source.Failure = new InvalidOperationException("a bug");

        agent.FolderChanged();
        await Eventually.True(() => source.Failure is null, Report);
        launcher.Launched.Last().Exit(1);

        await StateAsync(ProxyState.Down);
        Assert.True(agent.Snapshot.Steering.Installed);
    }

    [Fact]
    public async Task Stop_RulesGoAfterTheProxy()
    {
        await StartAckedAsync();

        await StopAsync();

        Assert.Equal(["proxy: SIGTERM", "steering: removed"], log.TakeLast(2));
    }

    [Fact]
    public async Task ListenerRefused_RulesAreInstalledAllTheSame()
    {
        await StartAsync();

        serving.Say(AckOutcome.Nacked, "listener x: address in use", port: null);

        await Eventually.True(() => agent.Snapshot.Outcome is not null, Report);
        Assert.Equal("steering: " + Dropped, log.Last(line => line.StartsWith("steering", StringComparison.Ordinal)));
        Assert.Equal(0, agent.Snapshot.EnforcedRevision);
        Assert.Equal(AckOutcome.Nacked, agent.Snapshot.Outcome);
        Assert.Equal("listener x: address in use", agent.Snapshot.OutcomeDetail);
    }

    [Fact]
    public async Task ChangeRefused_RulesOfWhatIsInForceStay()
    {
        await StartAckedAsync();
        source.Node = FakeSource.NodeOf("default/b", "10.0.0.2");
        agent.FolderChanged();
        await AskedAsync();

        serving.Say(AckOutcome.Nacked, "no");

        await LogAsync("steering: to=10.0.0.2/32,port=80,proxy-port=10001 | " + Rule);
        Assert.Equal(1, agent.Snapshot.EnforcedRevision);
    }

    [Fact]
    public async Task ProxyDiesUnderDeny_RulesStay()
    {
        await StartAckedAsync();
        var before = log.Count(line => line.StartsWith("steering", StringComparison.Ordinal));

        launcher.Launched.Last().Exit(137);

        await StateAsync(ProxyState.Down);
        Assert.Equal(before, log.Count(line => line.StartsWith("steering", StringComparison.Ordinal)));
        Assert.True(agent.Snapshot.Steering.Installed);
    }

    [Fact]
    public async Task ProxyDiesUnderAllow_RulesGoAndComeBackWithTheAckOfTheNext()
    {
        await StartAckedAsync(WhileProxyDown.Allow);

        launcher.Launched.Last().Exit(137);

        await StateAsync(ProxyState.Down);
        await LogAsync("steering: no rules");
        await Eventually.True(() => clock.Waiting > 0, Report);
        clock.Advance(TimeSpan.FromSeconds(10));
        await AskedAsync();
        Assert.Equal("steering: no rules", log.Last(line => line.StartsWith("steering", StringComparison.Ordinal)));
        serving.Say(AckOutcome.Acked);
        await Eventually.True(() => log.Count(line => line == "steering: " + Rule) == 2, Report);
    }

    [Fact]
    public async Task NewProxy_IsAskedAgain()
    {
        await StartAckedAsync();

        launcher.Launched.Last().Exit(1);
        await Eventually.True(() => clock.Waiting > 0, Report);
        clock.Advance(TimeSpan.FromSeconds(10));

        await AskedAsync();
    }

    [Fact]
    public async Task FolderChangesWhileTheProxyIsSilent_NewRevisionIsServedAtOnce()
    {
        await StartAsync();
        source.Node = FakeSource.NodeOf("default/b", "10.0.0.2");

        agent.FolderChanged();

        await LogAsync("serving: default/b");
        serving.Say(AckOutcome.Acked); // nobody waits for this one any more
        serving.Say(AckOutcome.Acked);
        await EnforcedAsync(2);
        Assert.DoesNotContain("steering: " + Rule, log);
    }

    [Fact]
    public async Task NoWordFromTheProxy_IsAskedOnAndRulesStandMeanwhile()
    {
        await StartAsync();

        serving.Say(AckOutcome.TimedOut, "nobody connected");

        await LogAsync("steering: " + Rule);
        await AskedAsync();
        Assert.Equal(0, agent.Snapshot.EnforcedRevision);
        serving.Say(AckOutcome.Acked);
        await EnforcedAsync(1);
    }

    [Fact]
    public async Task FirstFolderIsBad_NothingIsServedNorSteeredUntilItIsMended()
    {
        source.Node = null;
        source.Problems.Add("p.yaml:3:5: spec: unknown field");
        Run(WhileProxyDown.Deny);
        await StateAsync(ProxyState.Running);
        Assert.Equal(["steering: claimed", "proxy: launched"], log);
        Assert.Equal(["p.yaml:3:5: spec: unknown field"], agent.Snapshot.Problems);

        source.Problems.Clear();
        source.Node = FakeSource.NodeOf("default/a", "10.0.0.1");
        agent.FolderChanged();

        await AskedAsync();
        serving.Say(AckOutcome.Acked);
        await EnforcedAsync(1);
        Assert.Empty(agent.Snapshot.Problems);
    }

    [Fact]
    public async Task SameFolder_IsNoNewRevision()
    {
        await StartAckedAsync();

        agent.FolderChanged();
        source.Problems.Add("later.yaml:1:1: bad");
        agent.FolderChanged();

        await Eventually.True(() => agent.Snapshot.Problems.Count == 1, Report);
        Assert.Equal(1, agent.Snapshot.Revision);
    }

    [Fact]
    public async Task SteeringFails_IsToldAndTriedAgain()
    {
        steering.Failure = "cannot steer IPv4: the kernel lacks the TPROXY target";
        await StartAsync();
        serving.Say(AckOutcome.Acked);
        await Eventually.True(() => agent.Snapshot.Steering.Error == steering.Failure && clock.Waiting > 0, Report);
        Assert.Equal(0, agent.Snapshot.EnforcedRevision);

        steering.Failure = null;
        clock.Advance(TimeSpan.FromSeconds(5));

        await EnforcedAsync(1);
        Assert.Empty(agent.Snapshot.Steering.Error);
    }

    [Fact]
    public async Task ListenersAreLeftOver_AreServedAwayAfterTheRules()
    {
        await StartAsync();
        serving.HasMoreToRetire = true;

        serving.Say(AckOutcome.Acked);

        await AskedAsync();
        Assert.Equal(["steering: " + Rule, "serving: retire", "serving: default/a"], log.TakeLast(3));
    }

    private async Task StartAsync(WhileProxyDown whileDown = WhileProxyDown.Deny)
    {
        Run(whileDown);
        await AskedAsync();
        await StateAsync(ProxyState.Running);
    }

    private async Task StartAckedAsync(WhileProxyDown whileDown = WhileProxyDown.Deny)
    {
        await StartAsync(whileDown);
        serving.Say(AckOutcome.Acked);
        await EnforcedAsync(1);
    }

    private void Run(WhileProxyDown whileDown)
    {
        agent = new NodeAgent(
            source,
            serving,
            steering,
            changed => new ProxySupervisor(launcher, new RestartBackoff(() => 1), clock, TimeSpan.FromSeconds(15), changed, NullLogger.Instance),
            whileDown,
            clock,
            NullLogger.Instance);
        running = agent.RunAsync(stop.Token, CancellationToken.None);
    }

    private async Task StopAsync()
    {
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private Task AskedAsync() => Eventually.True(() => serving.Waiting > 0, Report);

    private Task EnforcedAsync(long revision) => Eventually.True(() => agent.Snapshot.EnforcedRevision == revision, Report);

    private Task StateAsync(ProxyState state) => Eventually.True(() => agent.Snapshot.Proxy.State == state, Report);

    private Task LogAsync(string line) => Eventually.True(() => log.Contains(line), Report);

    private string Report() => string.Join('\n', log) + "\n" + agent.Snapshot;
}
