using System;
using Envoy.Config.Core.V3;

namespace Postern.Agent.Envoy;

/// <summary>What the agent's listeners have in common. Defaults are those of Cilium's agent.</summary>
public sealed record AgentListenerOptions
{
    /// <summary>Listens on ::1 too. Off where the kernel has no IPv6: a listener that cannot bind is refused whole.</summary>
    public bool HasIPv6 { get; init; } = true;

    /// <summary>Socket of <see cref="AccessLog.AccessLogServer"/>; empty sends no access log.</summary>
    public string AccessLogPath { get; init; } = "";

    /// <summary>Body of a 403; empty takes the proxy's own.</summary>
    public string Denied403Body { get; init; } = "";

    /// <summary>Where the proxy gets policies and identities; null is the agent's xDS socket.</summary>
    public ConfigSource? PolicySource { get; init; }

    /// <summary>Route timeout, <c>http-request-timeout</c>.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Route idle timeout, <c>proxy-idle-timeout-seconds</c>; zero leaves it out.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary><c>http-stream-idle-timeout</c>.</summary>
    public TimeSpan StreamIdleTimeout { get; init; } = TimeSpan.FromSeconds(300);
}
