using System;
using System.Net;

namespace Postern.Agent.Serve;

/// <summary>Limits and habits of the xDS server.</summary>
public sealed record ResourceServerOptions
{
    /// <summary>Most open streams; the next one ends with RESOURCE_EXHAUSTED.</summary>
    public int MaxStreams { get; init; } = 1024;

    /// <summary>Most resource names of one subscription.</summary>
    public int MaxNames { get; init; } = 100_000;

    /// <summary>Largest request in bytes. A NACK carries the proxy's text, so this is roomy.</summary>
    public int MaxRequestBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>The node whose ACKs count: the IP of <c>node.id</c>, as Cilium's agent waits for 127.0.0.1. Others are served but not waited for.</summary>
    public IPAddress AckNode { get; init; } = IPAddress.Loopback;

    /// <summary>
    /// Answers NPHDS first without resources and with them after the first ACK, as Cilium's agent does. Only for tests of clients: until then
    /// every peer is world.
    /// </summary>
    public bool CiliumNphdsQuirk { get; init; }

    /// <summary>Gets one line for each NACK and each stream that ended in an error. Called with a lock held: must be quick.</summary>
    public Action<string> Log { get; init; } = static _ => { };

    /// <summary>Clock of time stamps and time limits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
