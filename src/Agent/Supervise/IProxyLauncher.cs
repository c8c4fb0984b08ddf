using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Agent.Supervise;

/// <summary>Brings proxies to life, and finds the one an earlier agent left.</summary>
public interface IProxyLauncher
{
    /// <summary>Starts a proxy.</summary>
    /// <exception cref="ProxyLaunchException">It cannot be started; one line that names the knob.</exception>
    IProxyProcess Launch();

    /// <summary>Takes over the proxy of an earlier agent if it is alive and answers; stops one that does not.</summary>
    /// <returns>Null when there is none to take.</returns>
    Task<IProxyProcess?> TryAdoptAsync(CancellationToken cancellationToken);

    /// <summary>What the proxy said last, oldest first.</summary>
    IReadOnlyList<string> LastLines(int count);
}

/// <summary>A proxy could not be started.</summary>
public sealed class ProxyLaunchException(string message, Exception? inner = null) : Exception(message, inner);
