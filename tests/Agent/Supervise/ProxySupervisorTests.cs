using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Agent.Supervise;

namespace Postern.Tests.Agent.Supervise;

public sealed class ProxySupervisorTests : IDisposable
{
    private readonly HandClock clock = new();
    private readonly CancellationTokenSource stop = new();
    private readonly CancellationTokenSource hurry = new();
    private readonly ConcurrentQueue<string> log = new();
    private readonly ConcurrentQueue<ProxyStatus> seen = new();

    public void Dispose()
    {
        stop.Dispose();
        hurry.Dispose();
    }

    [Fact]
    public async Task ProxyIsKilled_IsLaunchedAgainAfterThePause()
    {
        var launcher = new FakeLauncher(log.Enqueue);
        var (supervisor, running) = Start(launcher);
        await Launches(launcher, 1);

        launcher.Launched.Last().Exit(137);

        await Eventually.True(() => supervisor.Status.State == ProxyState.Down && clock.Waiting > 0, Report);
        Assert.Equal("killed by signal 9 (SIGKILL; the kernel's memory killer uses it too) after 0.0 s", supervisor.Status.LastExit);
        Assert.Single(launcher.Launched);
        clock.Advance(TimeSpan.FromMilliseconds(200));
        await Launches(launcher, 2);
        await Eventually.True(() => supervisor.Status is { State: ProxyState.Running, Restarts: 1, Pid: 1002 }, Report);
        await End(running);
    }

    [Fact]
    public async Task ManyEarlyEnds_StatusShowsTheProxysLastLines()
    {
        var launcher = new FakeLauncher(log.Enqueue) { Lines = ["listening", "cannot bind 127.0.0.1:10000"] };
        var (supervisor, running) = Start(launcher);
        for (var i = 1; i <= ProxySupervisor.ManyEarlyEnds; i++)
        {
            await Launches(launcher, i);
            launcher.Launched.Last().Exit(1);
            await Eventually.True(() => supervisor.Status.State == ProxyState.Down && clock.Waiting > 0, Report);
            if (i < ProxySupervisor.ManyEarlyEnds)
            {
                Assert.Empty(supervisor.Status.LastLines);
                clock.Advance(TimeSpan.FromSeconds(10));
            }
        }

        Assert.Equal(["listening", "cannot bind 127.0.0.1:10000"], supervisor.Status.LastLines);
        Assert.StartsWith("failed with exit code 1", supervisor.Status.LastExit, StringComparison.Ordinal);
        await End(running);
    }

    [Fact]
    public async Task ExecutableIsMissing_IsTriedAgainAndWorksOnceItIsThere()
    {
        var launcher = new FakeLauncher(log.Enqueue) { Failure = "there is no proxy at '/x'" };
        var (supervisor, running) = Start(launcher);
        await Eventually.True(() => supervisor.Status.State == ProxyState.Down && clock.Waiting > 0, Report);

        launcher.Failure = null;
        clock.Advance(TimeSpan.FromSeconds(1));

        await Eventually.True(() => supervisor.Status.State == ProxyState.Running, Report);
        await End(running);
    }

    [Fact]
    public async Task ProxyOfAnEarlierAgent_IsAdoptedAndNoneIsLaunched()
    {
        var launcher = new FakeLauncher(log.Enqueue) { ToAdopt = new FakeProxy(77, isAdopted: true, log.Enqueue) };
        var (supervisor, running) = Start(launcher);

        await Eventually.True(() => supervisor.Status is { State: ProxyState.Running, Pid: 77, Adopted: true }, Report);

        Assert.Empty(launcher.Launched);
        await End(running);
    }

    [Fact]
    public async Task Stop_ProxyIsAskedToEndAndNotKilled()
    {
        var launcher = new FakeLauncher(log.Enqueue);
        var (supervisor, running) = Start(launcher);
        await Launches(launcher, 1);

        await End(running);

        Assert.Equal(["proxy: launched", "proxy: SIGTERM"], log);
        Assert.Equal(ProxyState.Stopped, supervisor.Status.State);
        Assert.Contains(seen, status => status.State == ProxyState.Stopping);
    }

    [Fact]
    public async Task ProxyIgnoresTheStop_IsKilledWhenTheDrainTimeIsOver()
    {
        var launcher = new FakeLauncher(log.Enqueue) { ObeysTerminate = false };
        var (_, running) = Start(launcher);
        await Launches(launcher, 1);
        await stop.CancelAsync();
        await Eventually.True(() => log.Contains("proxy: SIGTERM") && clock.Waiting > 0, Report);

        clock.Advance(TimeSpan.FromSeconds(15));

        await running.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("proxy: SIGKILL", log.Last());
    }

    [Fact]
    public async Task SecondSignal_ProxyIsKilledAtOnce()
    {
        var launcher = new FakeLauncher(log.Enqueue) { ObeysTerminate = false };
        var (_, running) = Start(launcher);
        await Launches(launcher, 1);
        await stop.CancelAsync();

        await hurry.CancelAsync();

        await running.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("proxy: SIGKILL", log.Last());
    }

    private (ProxySupervisor Supervisor, Task Running) Start(FakeLauncher launcher)
    {
        var supervisor = new ProxySupervisor(launcher, new RestartBackoff(() => 1), clock, TimeSpan.FromSeconds(15), seen.Enqueue, NullLogger.Instance);
        return (supervisor, supervisor.RunAsync(stop.Token, hurry.Token));
    }

    private Task Launches(FakeLauncher launcher, int count) => Eventually.True(() => launcher.Launched.Count == count, Report);

    private async Task End(Task running)
    {
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private string Report() => string.Join('\n', log) + "\n" + string.Join('\n', seen) + $"\ntimers: {clock.Waiting}";
}
