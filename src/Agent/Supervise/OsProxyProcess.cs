using System;
using System.ComponentModel;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Agent.Supervise;

/// <summary>A proxy as the system's process: our child, or adopted.</summary>
internal sealed class OsProxyProcess : IProxyProcess
{
    private readonly Process process;
    private readonly ProcessIdentity identity;

    public OsProxyProcess(Process process, ProcessIdentity identity, bool isAdopted)
    {
        this.process = process;
        this.identity = identity;
        IsAdopted = isAdopted;
    }

    public int Pid => identity.Pid;

    public bool IsAdopted { get; }

    public async Task<int?> WaitForExitAsync(CancellationToken cancellationToken)
    {
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return IsAdopted ? null : process.ExitCode;
    }

    public void Terminate()
    {
        if (identity.IsAlive)
        {
            ProxySignal.Terminate(Pid);
        }
    }

    public void Kill()
    {
        try
        {
            if (identity.IsAlive)
            {
                process.Kill();
            }
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // Gone already.
        }
    }

    public void Dispose() => process.Dispose();
}
