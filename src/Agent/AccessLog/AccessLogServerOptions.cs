using System;

namespace Postern.Agent.AccessLog;

/// <summary>Limits of the access-log socket.</summary>
public sealed record AccessLogServerOptions
{
    /// <summary>Path of the socket; mode 0660. A leading "@" is the abstract namespace.</summary>
    public required string Path { get; init; }

    /// <summary>Largest packet in bytes; a longer one is discarded whole. <c>envoy-access-log-buffer-size</c>.</summary>
    public int MaxMessageSize { get; init; } = 4096;

    /// <summary>Most connections of proxies; the next one is closed at once.</summary>
    public int MaxConnections { get; init; } = 64;

    /// <summary>Entries kept for <see cref="AccessLogServer.ReadRecent"/>.</summary>
    public int RingSize { get; init; } = 1000;

    /// <summary>Endpoints or policies that are counted by name; the rest counts under the name "(others)".</summary>
    public int MaxCountedNames { get; init; } = 10_000;

    /// <summary>Most subscriptions at the same time.</summary>
    public int MaxSubscriptions { get; init; } = 32;

    /// <summary>Gets a line for the first bad packet of each connection and for refused connections.</summary>
    public Action<string> Log { get; init; } = static _ => { };

    /// <summary>Clock of <see cref="AccessLogEntry.Received"/>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
