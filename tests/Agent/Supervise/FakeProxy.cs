using System;
using System.Threading;
using System.Threading.Tasks;
using Postern.Agent.Supervise;

namespace Postern.Tests.Agent.Supervise;

/// <summary>A proxy that ends when the test says so.</summary>
internal sealed class FakeProxy(int pid, bool isAdopted, Action<string> log) : IProxyProcess
{
    private readonly TaskCompletionSource<int?> exit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Pid => pid;

    public bool IsAdopted => isAdopted;

    /// <summary>Whether SIGTERM ends it.</summary>
    public bool ObeysTerminate { get; init; } = true;

    public Task<int?> WaitForExitAsync(CancellationToken cancellationToken) => exit.Task.WaitAsync(cancellationToken);

    public void Exit(int? code) => exit.TrySetResult(code);

    public void Terminate()
    {
        log("proxy: SIGTERM");
        if (ObeysTerminate)
        {
            Exit(0);
        }
    }

    public void Kill()
    {
        log("proxy: SIGKILL");
        Exit(137);
    }

    public void Dispose()
    {
    }
}
