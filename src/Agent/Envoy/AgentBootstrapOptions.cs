using System;
using Postern.Agent.Serve;

namespace Postern.Agent.Envoy;

/// <summary>What differs between the bootstraps of nodes.</summary>
public sealed record AgentBootstrapOptions
{
    /// <summary>The agent's xDS socket.</summary>
    public required string XdsSocket { get; init; }

    /// <summary>The proxy's admin socket.</summary>
    public required string AdminSocket { get; init; }

    /// <summary>Cilium's form; its IP is what <see cref="ResourceServerOptions.AckNode"/> waits for.</summary>
    public string NodeId { get; init; } = "host~127.0.0.1~no-id~localdomain";

    /// <summary>To upstreams, <c>proxy-connect-timeout</c>.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Of idle upstream connections, <c>proxy-idle-timeout-seconds</c>.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);
}
