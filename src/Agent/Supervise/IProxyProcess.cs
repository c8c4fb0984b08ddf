using System;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Agent.Supervise;

/// <summary>A running proxy. Disposing lets go of it; it lives on.</summary>
public interface IProxyProcess : IDisposable
{
    /// <summary>Process id.</summary>
    int Pid { get; }

    /// <summary>Whether an earlier agent launched it.</summary>
    bool IsAdopted { get; }

    /// <summary>Waits for its end.</summary>
    /// <returns>Exit code, 128 + N for signal N; null when it is not our child.</returns>
    Task<int?> WaitForExitAsync(CancellationToken cancellationToken);

    /// <summary>Asks it to drain and end: SIGTERM.</summary>
    void Terminate();

    /// <summary>SIGKILL.</summary>
    void Kill();
}
