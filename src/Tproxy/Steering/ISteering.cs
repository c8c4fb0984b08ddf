using System;
using System.Collections.Generic;

namespace Postern.Tproxy.Steering;

/// <summary>
/// Steers traffic of the calling thread's network namespace to the proxy's transparent listeners, and takes the steering away again. Calls block.
/// Whatever is in force when the process dies stays: what nobody listens for is dropped, not passed.
/// Disposing removes what was installed; an owner that means it to stay does not dispose.
/// </summary>
public interface ISteering : IDisposable
{
    /// <summary>Never <see cref="SteeringMode.Auto"/>.</summary>
    SteeringMode Mode { get; }

    /// <summary>Takes the namespace's steering over without a change to it: what an earlier owner left goes on. Does nothing if it is ours already.</summary>
    /// <exception cref="TproxyException">No capability, something is missing, or another process steers here.</exception>
    void Claim();

    /// <summary>
    /// Puts these in the place of those in force; no packet meets a moment without rules. The first rule that matches decides. Connections that the
    /// proxy has go on, also where no rule covers them any more.
    /// </summary>
    /// <exception cref="TproxyException">Those in force stay.</exception>
    void Replace(IReadOnlyList<SteeringRule> next);

    /// <summary>Takes everything away, and nothing that is not ours; traffic goes past the proxy. Does nothing if it is gone already.</summary>
    /// <exception cref="TproxyException">Something could not be removed; the rest was still tried.</exception>
    void Remove();
}
