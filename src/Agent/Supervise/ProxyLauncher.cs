using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;

namespace Postern.Agent.Supervise;

/// <summary>
/// Launches the proxy in a session of its own, so that Ctrl-C reaches the agent only, which then stops it in order; its outputs go to a file.
/// It outlives an agent that is killed: traffic goes on, and the next agent finds it by <see cref="ProxyRecord"/>.
/// </summary>
internal sealed class ProxyLauncher : IProxyLauncher
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(12);

    private readonly ProxyCommand command;
    private readonly ProxyLog log;
    private readonly ProxyRecord record;
    private readonly ILogger logger;

    public ProxyLauncher(ProxyCommand command, ProxyLog log, ProxyRecord record, ILogger logger)
    {
        this.command = command;
        this.log = log;
        this.record = record;
        this.logger = logger;
    }

    public IReadOnlyList<string> LastLines(int count) => log.Tail(count);

    public IProxyProcess Launch()
    {
        if (!File.Exists(command.Executable))
        {
            throw new ProxyLaunchException($"there is no proxy at '{command.Executable}'; build it (./build.sh) or name another with --proxy PATH");
        }
        Process? process = null;
        try
        {
            log.RotateIfLong();
            process = Process.Start(Start()) ?? throw new ProxyLaunchException($"'{command.Executable}' did not start");
            // setsid and sh replace themselves by the proxy, so that this is its identity too.
            var identity = ProcessIdentity.Of(process.Id) ?? new ProcessIdentity(process.Id, 0, string.Empty);
            record.Write(identity);
            return new OsProxyProcess(process, identity, isAdopted: false);
        }
        catch (Exception e) when (e is Win32Exception or IOException or UnauthorizedAccessException)
        {
            process?.Kill();
            process?.Dispose();
            throw new ProxyLaunchException($"cannot launch '{command.Executable}': {e.Message}", e);
        }
    }

    public async Task<IProxyProcess?> TryAdoptAsync(CancellationToken cancellationToken)
    {
        if (record.Read() is not { IsAlive: true } identity || identity.Executable is not { } executable || !command.IsRunBy(executable))
        {
            return null;
        }
        OsProxyProcess found;
        try
        {
            found = new OsProxyProcess(Process.GetProcessById(identity.Pid), identity, isAdopted: true);
        }
        catch (ArgumentException)
        {
            return null; // it ended just now
        }
        if (await ProxyReadiness.AnswersAsync(command.AdminSocket, ReadyLimit, cancellationToken).ConfigureAwait(false))
        {
            return found;
        }
        using (found)
        {
            logger.LogWarning("the proxy of an earlier agent, pid {Pid}, does not answer on {Socket}; it is stopped and another launched", found.Pid, command.AdminSocket);
            await StopAsync(found, cancellationToken).ConfigureAwait(false);
        }
        return null;
    }

    /// <summary>
    /// Kills the proxy of an earlier agent, if there is one, before it can be told anything: it holds policies whose identity numbers may mean others
    /// by now. Its traffic is dropped until the next proxy is there.
    /// </summary>
    public void KillLeftover()
    {
        if (record.Read() is not { IsAlive: true } identity || identity.Executable is not { } executable || !command.IsRunBy(executable))
        {
            return;
        }
        logger.LogWarning("the identities of the earlier agent are not known: its proxy, pid {Pid}, is killed and another launched", identity.Pid);
        try
        {
            using var process = Process.GetProcessById(identity.Pid);
            process.Kill();
            process.WaitForExit(StopLimit);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            // It ended just now.
        }
    }

    private static async Task StopAsync(OsProxyProcess process, CancellationToken cancellationToken)
    {
        process.Terminate();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StopLimit);
        try
        {
            await process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private ProcessStartInfo Start()
    {
        const string Redirect = "exec \"$@\" </dev/null >>\"$0\" 2>&1";
        var setsid = File.Exists("/usr/bin/setsid") ? "/usr/bin/setsid" : null;
        var start = new ProcessStartInfo(setsid ?? "/bin/sh") { UseShellExecute = false };
        if (setsid is not null)
        {
            start.ArgumentList.Add("/bin/sh");
        }
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Redirect);
        start.ArgumentList.Add(log.Path);
        start.ArgumentList.Add(command.Executable);
        foreach (var argument in command.Arguments)
        {
            start.ArgumentList.Add(argument);
        }
        return start;
    }
}
