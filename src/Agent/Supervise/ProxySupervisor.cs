using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;

namespace Postern.Agent.Supervise;

/// <summary>
/// Keeps one proxy alive: adopts the one an earlier agent left or launches one, waits for its end, and launches the next after a pause.
/// One task does all of it; <see cref="Status"/> can be read from anywhere.
/// </summary>
public sealed class ProxySupervisor
{
    /// <summary>Early ends in a row after which the status shows the proxy's last lines.</summary>
    public const int ManyEarlyEnds = 3;

    private const int LinesShown = 10;

    private readonly IProxyLauncher launcher;
    private readonly RestartBackoff backoff;
    private readonly TimeProvider time;
    private readonly TimeSpan drainTime;
    private readonly Action<ProxyStatus> changed;
    private readonly ILogger logger;
    private volatile ProxyStatus status = new();

    /// <param name="launcher">Makes proxies.</param>
    /// <param name="backoff">Pauses between them.</param>
    /// <param name="time">Clock.</param>
    /// <param name="drainTime">How long a proxy may take to end before it is killed.</param>
    /// <param name="changed">Gets every new status, in order; must not block.</param>
    /// <param name="logger">For the operator.</param>
    public ProxySupervisor(IProxyLauncher launcher, RestartBackoff backoff, TimeProvider time, TimeSpan drainTime, Action<ProxyStatus> changed, ILogger logger)
    {
        this.launcher = launcher;
        this.backoff = backoff;
        this.time = time;
        this.drainTime = drainTime;
        this.changed = changed;
        this.logger = logger;
    }

    /// <summary>As it is now.</summary>
    public ProxyStatus Status => status;

    /// <summary>Runs until <paramref name="stop"/>, then stops the proxy: SIGTERM, and SIGKILL after the drain time or when <paramref name="hurry"/> comes.</summary>
    public async Task RunAsync(CancellationToken stop, CancellationToken hurry)
    {
        var launches = 0;
        var process = await AdoptAsync(stop).ConfigureAwait(false);
        while (!stop.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            ProxyExit exit;
            try
            {
                process ??= launcher.Launch();
                launches++;
                Set(status with { State = ProxyState.Running, Pid = process.Pid, Since = time.GetUtcNow(), Adopted = process.IsAdopted, Restarts = launches - 1 });
                logger.LogInformation("proxy {What}, pid {Pid}", process.IsAdopted ? "of an earlier agent adopted" : "launched", process.Pid);
                using (process)
                {
                    if (await WaitAsync(process, stop, hurry).ConfigureAwait(false) is not { } code)
                    {
                        return;
                    }
                    exit = new ProxyExit(code.Value, time.GetElapsedTime(started));
                }
            }
            catch (ProxyLaunchException error)
            {
                exit = new ProxyExit(127, TimeSpan.Zero);
                logger.LogError("{Reason}", error.Message);
            }
            process = null;
            if (!await PauseAsync(exit, stop).ConfigureAwait(false))
            {
                break;
            }
        }
        Set(status with { State = ProxyState.Stopped, Pid = null, Since = null });
    }

    private readonly record struct ExitCode(int? Value);

    private async Task<IProxyProcess?> AdoptAsync(CancellationToken stop)
    {
        try
        {
            return await launcher.TryAdoptAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Null: it was stopped as asked.</summary>
    private async Task<ExitCode?> WaitAsync(IProxyProcess process, CancellationToken stop, CancellationToken hurry)
    {
        try
        {
            return new ExitCode(await process.WaitForExitAsync(stop).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            Set(status with { State = ProxyState.Stopping });
            await StopAsync(process, hurry).ConfigureAwait(false);
            Set(status with { State = ProxyState.Stopped, Pid = null, Since = null });
            return null;
        }
    }

    private async Task StopAsync(IProxyProcess process, CancellationToken hurry)
    {
        process.Terminate();
        using var limit = new CancellationTokenSource(drainTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, hurry);
        try
        {
            await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
            logger.LogInformation("proxy stopped");
        }
        catch (OperationCanceledException)
        {
            logger.LogWarning("proxy did not end within {Seconds} s of SIGTERM and is killed", drainTime.TotalSeconds);
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task<bool> PauseAsync(ProxyExit exit, CancellationToken stop)
    {
        var pause = backoff.Next(exit.Lived);
        IReadOnlyList<string> lines = backoff.EarlyEnds >= ManyEarlyEnds ? launcher.LastLines(LinesShown) : [];
        Set(status with
        {
            State = ProxyState.Down,
            Pid = null,
            Since = null,
            LastExit = exit.Reason,
            LastExitAt = time.GetUtcNow(),
            LastLines = lines,
        });
        logger.LogError("proxy {Reason}; next launch in {Milliseconds:0} ms", exit.Reason, pause.TotalMilliseconds);
        foreach (var line in status.LastLines)
        {
            logger.LogError("proxy said: {Line}", line);
        }
        try
        {
            await Task.Delay(pause, time, stop).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Set(ProxyStatus next)
    {
        status = next;
        changed(next);
    }
}
